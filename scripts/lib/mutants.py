"""Weaves the mutants that cargo-mutants names into a package, each behind a switch, builds it once, and
runs its tests with one switch on at a time. What cannot be woven is left to cargo-mutants.

    mutants.py PACKAGE LIST.json OUT [--shard K/N] [--timeout SECONDS] [--resume]

Called by scripts/mutants, which says what is in PACKAGE. Needs tree-sitter and tree-sitter-rust.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import tree_sitter_rust
from tree_sitter import Language, Parser

RUST = Language(tree_sitter_rust.language())
SWITCH = """
/// Which mutant is awake: the one whose number the environment gives.
pub mod mutant {
    use std::sync::LazyLock;

    static AWAKE: LazyLock<u32> = LazyLock::new(|| {
        std::env::var("MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    });

    pub fn id() -> u32 {
        *AWAKE
    }

    pub fn is(number: u32) -> bool {
        *AWAKE == number
    }
}
"""
# What says who may do what is asked about first.
FIRST = ["access", "role", "principal", "decide", "guard", "rule"]
ITERATOR = re.compile(r"impl (Iterator<.*>)(\s*\+\s*'\w+)?$", re.DOTALL)
# What the compiler says of a mutant that does not compile, woven or not.
UNKNOWN = re.compile(
    "Default` is not satisfied$|^cannot (add|subtract|multiply|divide|calculate) |"
    "^(expected|type mismatch resolving) `<?([a-z_]+::)*Once<&mut "
)
COMPARISONS = {"<", "<=", ">", ">="}
ARITHMETIC = {"+", "-", "*", "/", "%"}


class File:
    """A source file with what is to be inserted into it."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_bytes()
        self.lines = [0]
        for line in self.text.split(b"\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.tree = Parser(RUST).parse(self.text)
        self.inserted = []  # place in order, start and end of what is replaced, text, mutants

    def offset(self, place):
        start = self.lines[place["line"] - 1]
        line = self.text[start : self.lines[place["line"]]].decode()
        return start + len(line[: place["column"] - 1].encode())

    def node(self, start, end, kinds):
        """The smallest node of these kinds around a range."""
        node = self.tree.root_node.descendant_for_byte_range(start, end)
        while node is not None and node.type not in kinds:
            node = node.parent
        return node

    def insert(self, order, start, end, text, mutants):
        self.inserted.append(((start, *order), start, end, text, mutants))

    def around(self, node, before, after, mutants):
        # Of two that begin together the larger one is outside, or the one that was woven first; so
        # it is of two that end together.
        # Either may be of several pieces, each with its own mutants.
        start, end, woven = node.start_byte, node.end_byte, len(self.inserted)
        for number, (text, own) in enumerate(pieces(before, mutants)):
            self.insert((1, start - end, woven, number), start, start, text, own)
        for number, (text, own) in enumerate(pieces(after, mutants)):
            self.insert((0, end - start, -woven, number), end, end, text, own)

    def instead(self, node, text, mutants):
        self.insert((1, 0, 0), node.start_byte, node.end_byte, text, mutants)

    def woven(self):
        """The text with everything in it, and where in it each mutant is."""
        pieces, places, done, length = [], [], 0, 0

        def add(piece, mutants=()):
            nonlocal length
            piece = piece if isinstance(piece, bytes) else piece.encode()
            places.extend((length, length + len(piece), number) for number in mutants)
            pieces.append(piece)
            length += len(piece)

        for _, start, end, text, mutants in sorted(self.inserted, key=lambda one: one[0]):
            add(self.text[done:start])
            add(text, mutants)
            done = end
        add(self.text[done:])
        return b"".join(pieces), places


def pieces(text, mutants):
    return text if isinstance(text, list) else [(text, mutants)]


def name_of(mutant):
    return re.sub(r"\s+", " ", mutant["name"])


def text_of(node):
    return node.text.decode()


def constant(node):
    """What is evaluated by the compiler around it, where no switch can be asked: the word `const` of a
    function, or the whole of another item."""
    while node is not None:
        if node.type in ("const_item", "static_item"):
            return node
        if node.type == "function_item":
            modifiers = [one for one in node.children if one.type == "function_modifiers"]
            words = [word for one in modifiers for word in one.children if word.type == "const"]
            return words[0] if words else None
        node = node.parent
    return None


def function_of(node):
    while node.type != "function_item":
        node = node.parent
    return text_of(node.child_by_field_name("name"))


def weave_file(file, mutants, constants):
    """Weaves all mutants of a file; gives those that cannot be. The functions in `constants` must stay
    constant; from the others the word is taken."""
    left, operators, arms, iterators, unbound = [], {}, {}, {}, set()
    # Assertions of the compiler would keep what they call constant; the tests have to notice it alone.
    for item in file.tree.root_node.children:
        if item.type == "const_item" and text_of(item.child_by_field_name("name")) == "_":
            file.instead(item, "", [])
    for mutant in mutants:
        start, end = file.offset(mutant["span"]["start"]), file.offset(mutant["span"]["end"])
        genre, number, new = mutant["genre"], mutant["number"], mutant["replacement"]
        inner = file.tree.root_node.descendant_for_byte_range(start, end)
        fixed = constant(inner)
        if fixed is not None:
            if fixed.type != "const" or function_of(fixed) in constants:
                left.append(mutant)
                continue
            if fixed.id not in unbound:
                unbound.add(fixed.id)
                file.instead(fixed, "", [])
        if genre == "FnValue":
            function = file.node(start, end, ("function_item",))
            returns = function.child_by_field_name("return_type")
            if returns is not None and "impl " in text_of(returns):
                if ITERATOR.match(text_of(returns)):
                    mutant["boxed"] = True
                    iterators.setdefault(function.id, (function, []))[1].append(mutant)
                else:
                    left.append(mutant)
                continue
            brace = function.child_by_field_name("body").children[0]
            wake = f" if crate::mutant::is({number}) {{ return {new}; }} "
            file.insert((0, 0, number), brace.end_byte, brace.end_byte, wake, [number])
        elif genre == "BinaryOperator":
            kinds = ("binary_expression", "compound_assignment_expr")
            node = file.node(start, end, kinds)
            fits = node is not None and node.child_by_field_name("operator").start_byte == start
            if fits:
                operators.setdefault(node.id, (node, []))[1].append(mutant)
            else:
                # The compiler knows no `||` among conditions with `let`.
                mutant["hopeless"] = inner.parent.type == "let_chain" and new == "||"
                left.append(mutant)
        elif genre == "UnaryOperator":
            node = file.node(start, end, ("unary_expression",))
            if node is None or node.start_byte != start:
                left.append(mutant)
            elif file.text[start:end] == b"!":
                file.around(node, "((", f") != crate::mutant::is({number}))", [number])
            else:
                plain = text_of(node.children[1])
                awake = f"(if crate::mutant::is({number}) {{ {plain} }} else {{ "
                file.around(node, awake, " })", [number])
        elif genre in ("MatchArm", "MatchArmGuard"):
            node = file.node(start, end, ("match_arm",))
            if node is None:
                left.append(mutant)
            else:
                arms.setdefault(node.id, (node, {}))[1][new if genre != "MatchArm" else "gone"] = mutant
        elif genre == "StructField":
            # Its place may end with the comma, which is no part of the field.
            node = file.node(start, start, ("field_initializer", "shorthand_field_initializer"))
            whole = node and file.node(start, start, ("struct_expression",))
            bases = [one for one in node.parent.children if one.type == "base_field_initializer"] if node else []
            if not bases:
                left.append(mutant)
                continue
            shorthand = node.type == "shorthand_field_initializer"
            field = text_of(node if shorthand else node.child_by_field_name("field"))
            value = node if shorthand else node.child_by_field_name("value")
            kind, base = text_of(whole.child_by_field_name("name")), text_of(bases[0].named_children[0])
            awake = f"if crate::mutant::is({number}) {{ let base: {kind} = {base}; base.{field} }} else {{ "
            file.around(value, (f"{field}: " if shorthand else "") + awake, " }", [number])
        else:
            left.append(mutant)
    for function, those in iterators.values():
        item = ITERATOR.match(text_of(function.child_by_field_name("return_type")))[1]
        body, numbers = function.child_by_field_name("body"), [mutant["number"] for mutant in those]
        before = [(f"{{ let woven: Box<dyn {item} + '_> = match crate::mutant::id() {{ ", numbers)]
        # One that does not compile does not take the others with it.
        before += [(f"{m['number']} => Box::new({m['replacement']}), ", [m["number"]]) for m in those]
        file.around(body, [*before, ("_ => Box::new(", numbers)], ") }; woven }", numbers)
    # A guard may be one operator: it is around it.
    for node, those in arms.values():
        left += weave_arm(file, node, those)
    for node, those in operators.values():
        weave_operator(file, node, those)
    return left


def weave_operator(file, node, mutants):
    one, other = node.child_by_field_name("left"), node.child_by_field_name("right")
    sign = node.child_by_field_name("operator")
    operator, numbers = text_of(sign), [mutant["number"] for mutant in mutants]
    arms = [(f"{m['number']} => l {m['replacement']} r, ", [m["number"]]) for m in mutants]
    opened, closed = "{ (l, r) => match crate::mutant::id() { ", f"_ => l {operator} r }} }})"
    choice = [(f")) {opened}", numbers), *arms, (closed, numbers)]
    if operator in ("&&", "||"):
        awake = ("" if operator == "&&" else "!") + f"crate::mutant::is({numbers[0]})"
        file.around(node, "(if (", " })", numbers)
        file.instead(sign, f") == {awake} {{ {awake} }} else {{ ", numbers)
    elif operator in ("==", "!="):
        file.around(node, "((", f") != crate::mutant::is({numbers[0]}))", numbers)
    elif operator in COMPARISONS:
        file.around(node, "(match (&(", choice, numbers)
        file.instead(sign, "), &(", numbers)
    elif operator in ARITHMETIC:
        file.around(node, "(match ((", choice, numbers)
        file.instead(sign, "), (", numbers)
    else:
        left, right = text_of(one), text_of(other)
        arms = "".join(
            f"{m['number']} => {{ {left} {m['replacement']} {right} }} " for m in mutants
        )
        file.around(node, f"match crate::mutant::id() {{ {arms}_ => {{ ", " } }", numbers)


def weave_arm(file, node, mutants):
    pattern = node.child_by_field_name("pattern")
    guard = pattern.child_by_field_name("condition")
    numbers = [mutant["number"] for mutant in mutants.values()]
    if guard is not None and guard.type in ("let_chain", "let_condition"):
        return list(mutants.values())
    awake = {name: f"crate::mutant::is({m['number']})" for name, m in mutants.items()}
    gone = awake.get("gone", "false")
    if guard is None:
        file.insert((0, 0, 0), pattern.end_byte, pattern.end_byte, f" if !{gone}", numbers)
        return []
    always, never = awake.get("true", "false"), awake.get("false", "false")
    file.around(guard, f"!{gone} && !{never} && ({always} || (", "))", numbers)
    return []


def build(package):
    """Builds the tests; gives the program, or the errors."""
    command = ["cargo", "test", "--no-run", "--message-format", "json"]
    done = subprocess.run(command, cwd=package, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    program, errors = None, []
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message.get("executable"):
            program = message["executable"]
        elif message["reason"] == "compiler-message" and message["message"]["level"] == "error":
            errors.append(message["message"])
    if done.returncode == 0:
        return program, []
    if not errors:
        sys.exit(done.stderr[-2000:])
    return None, errors


def weave(package, mutants):
    """Weaves and builds until the compiler takes it."""
    sources = {name: (package / name).read_bytes() for name in {m["file"] for m in mutants}}
    entry = package / "src/lib.rs"
    entry.write_text(entry.read_text() + SWITCH)
    refused, constants = {}, set()
    while True:
        places, left = {}, {}
        for name, source in sources.items():
            (package / name).write_bytes(source)
            file = File(package / name)
            mine = [m for m in mutants if m["file"] == name and m["number"] not in refused]
            for mutant in weave_file(file, mine, constants):
                left[mutant["number"]] = mutant
            text, places[name] = file.woven()
            (package / name).write_bytes(text)
        started = time.time()
        program, errors = build(package)
        print(f"built in {time.time() - started:.0f} s, {len(errors)} errors", flush=True)
        if program:
            # Another run would put its own in the same place.
            own = shutil.copy(program, package / "woven")
            return own, refused, left
        before = len(refused) + len(constants)
        for error in errors:
            called = re.match(r"cannot call non-const [^`]*`([^`]*)`", error["message"])
            if called:
                constants.add(re.split(r"::", re.sub(r"::<.*>$|\(.*$", "", called[1]))[-1].strip(">"))
            else:
                blame(error, places, refused)
        if len(refused) + len(constants) == before:
            sys.exit("nothing to blame for: " + errors[0]["rendered"])


def blame(error, places, refused):
    for span in error["spans"]:
        here = places.get(span["file_name"], [])
        start, end = span["byte_start"], span["byte_end"]
        hit = [one for one in here if one[0] < end and start < one[1]]
        if not hit and span["is_primary"]:
            # The nearest that begins before: its operand is what the compiler complains of.
            hit = [max((one for one in here if one[0] <= start), default=None)]
        for one in hit:
            if one:
                refused[one[2]] = error["message"]


def run(program, package, number, tests, limit):
    """Runs the tests with a mutant awake. The limit is in seconds of the processor, so that a machine that is
    busy or stands still makes no difference."""
    environment = os.environ | {"MUTANT": str(number), "RUST_BACKTRACE": "0"}
    command, most = [program, *tests], int(limit or 3600)
    running = subprocess.Popen(
        command,
        cwd=package,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1)),
    )
    late = []
    # What waits for ever takes no time of the processor.
    clock = threading.Timer(3600, lambda: (late.append(True), running.kill()))
    clock.start()
    # The first test that fails is enough.
    failed = any(line.rstrip().endswith("... FAILED") for line in running.stdout)
    running.kill() if failed else None
    ended = running.wait()
    clock.cancel()
    if late or ended == -signal.SIGXCPU:
        return "timeout"
    return "caught" if failed or ended != 0 else "missed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("list", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--timeout", type=float, default=0)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    mutants = json.loads(given.list.read_text())
    for number, mutant in enumerate(mutants, start=1):
        mutant["number"] = number
    part, parts = map(int, given.shard.split("/"))
    mutants = [mutant for mutant in mutants if mutant["number"] % parts == part % parts]
    place = {name: number for number, name in enumerate(FIRST)}
    mutants.sort(key=lambda mutant: place.get(pathlib.Path(mutant["file"]).stem, len(FIRST)))
    program, refused, left = weave(given.package, mutants)
    # What random input and random walks find is looked for last: they take most of the time.
    slow = ["deadline::", "explain::", "told::"]
    stages = [[part for name in [*slow, "walks::"] for part in ("--skip", name)], slow, ["walks::"]]
    limits = []
    for tests in stages:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        if run(program, given.package, 0, tests, None) != "missed":
            sys.exit(f"the tests fail without a mutant: {tests}")
        took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        limits.append(given.timeout or max(20, 10 * took))
        print(f"{' '.join(tests)}: {took:.1f} s of the processor", flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    # What was noticed at this very place before, in a run that was broken off or found others missed.
    known = {}
    for verdict in ("caught", "timeout", "unviable") if given.resume else ():
        path = given.out / f"{verdict}.txt"
        known |= {name: verdict for name in path.read_text().splitlines()} if path.exists() else {}
    files = {
        name: (given.out / f"{name}.txt").open("w", buffering=1)
        for name in ("caught", "missed", "timeout", "unviable", "left")
    }

    def write(mutant, verdict):
        files[verdict].write(name_of(mutant) + "\n")

    pending = []
    for mutant in mutants:
        if name_of(mutant) in known:
            write(mutant, known[name_of(mutant)])
        elif mutant["number"] in left:
            write(mutant, "unviable" if mutant.get("hopeless") else "left")
        elif mutant["number"] in refused:
            # A value that does not fit is one, one that has no default, an operator that its operands do
            # not know; what only the weaving made unfit is not.
            sound = mutant["genre"] == "FnValue" and not mutant.get("boxed")
            sound |= bool(UNKNOWN.search(refused[mutant["number"]]))
            write(mutant, "unviable" if sound else "left")
        else:
            pending.append(mutant)
    # Every mutant by the quick tests first; the slow ones only see what those did not notice.
    for tests, limit in zip(stages, limits):
        survivors = []
        for mutant in pending:
            verdict = run(program, given.package, mutant["number"], tests, limit)
            if verdict == "missed":
                survivors.append(mutant)
            else:
                write(mutant, verdict)
        pending = survivors
        print(f"{len(pending)} of {len(mutants)} not noticed yet", flush=True)
    for mutant in pending:
        write(mutant, "missed")
    for file in files.values():
        file.close()


main()
