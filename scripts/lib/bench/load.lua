-- Sends requests from a file, one after the other, over all connections of wrk.
--
-- Arguments: the file (each request behind a line with its length in bytes), how many answers to
-- wait for (0: until the time is over, beginning again at the end of the file), requests per second
-- (0: as fast as answers come), and a file for what the answers name ("-": none).
local ffi = require("ffi")
ffi.cdef([[
    typedef struct { long seconds; long nanoseconds; } bench_time;
    int clock_gettime(int clock, bench_time *time);
]])

local CLOCK_MONOTONIC = 1
local time = ffi.new("bench_time")
local function now()
    ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
    return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

local threads = {}
function setup(thread)
    table.insert(threads, thread)
end

local requests, wanted, rate, names = {}, 0, 0, nil
local sent = -1 -- wrk asks for one request before it begins, and does not send it
answered, refused, first, last, worst = 0, 0, 0, 0, ""

local function read(path)
    local file = assert(io.open(path, "rb"))
    while true do
        local length = file:read("*l")
        if not length then break end
        table.insert(requests, file:read(tonumber(length)))
    end
    file:close()
end

function init(args)
    read(args[1])
    wanted, rate = tonumber(args[2]), tonumber(args[3])
    if args[4] ~= "-" then names = assert(io.open(args[4], "wb")) end
    if rate > 0 then
        delay = function()
            local due = first + (sent + 1) / rate
            return first == 0 and 0 or math.max(0, (due - now()) * 1000)
        end
    end
    if wanted > 0 or names then response = heard end
end

function request()
    sent = sent + 1
    if sent == 1 then first = now() end
    return requests[math.max(sent - 1, 0) % #requests + 1]
end

-- What an answer names: the case, its row, its reply, each if it is there.
local function note(body)
    local proposal = body:match('"id":"(prop_%x+)"') or body:match('"proposal_id":"(prop_%x+)"') or "-"
    local row = body:match('"id":"(asgn_%x+)"') or "-"
    local reply = body:match('"id":"(repl_%x+)"') or "-"
    names:write(proposal, " ", row, " ", reply, "\n")
end

function heard(status, _, body)
    answered = answered + 1
    if status >= 300 then
        refused = refused + 1
        worst = status .. " " .. body:sub(1, 300)
    elseif names then
        note(body)
    end
    if answered == wanted then
        last = now()
        if names then names:close() end
        names = nil -- what comes after this is not looked at
        wrk.thread:stop()
    end
end

-- One line for the program that started wrk.
function done(summary, latency)
    local thread = threads[1]
    local count, duration = thread:get("answered"), thread:get("last") - thread:get("first")
    if duration <= 0 then count, duration = summary.requests, summary.duration / 1e6 end
    local errors = summary.errors
    io.write(string.format(
        "BENCH %d %.6f %d %d %d %d %d\n",
        count, duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
        latency.max, errors.status + errors.connect + errors.read + errors.write + errors.timeout
    ))
    if thread:get("worst") ~= "" then io.write("WORST ", thread:get("worst"), "\n") end
end
