/* Sends captured statements to SQLite again, one after the other, on one connection and in one thread:
 *
 *     rawloop DATABASE SCRIPT SECONDS
 *
 * SECONDS 0: each request once. The script has the number of texts and each text behind its length, then
 * the number of requests and, for each, how many statements: the place of its text, how many values, and
 * those. Numbers are 32 bits wide as the machine has them. It prints requests and seconds. Every text is
 * prepared once, and rows are read column by column, as a program reads them that wants them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
typedef int64_t sqlite3_int64;
int sqlite3_open(const char *, sqlite3 **);
const char *sqlite3_errmsg(sqlite3 *);
int sqlite3_exec(sqlite3 *, const char *, void *, void *, char **);
int sqlite3_prepare_v3(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);
int sqlite3_bind_null(sqlite3_stmt *, int);
int sqlite3_bind_int64(sqlite3_stmt *, int, sqlite3_int64);
int sqlite3_bind_double(sqlite3_stmt *, int, double);
int sqlite3_bind_text(sqlite3_stmt *, int, const char *, int, void (*)(void *));
int sqlite3_bind_blob(sqlite3_stmt *, int, const void *, int, void (*)(void *));
int sqlite3_step(sqlite3_stmt *);
int sqlite3_reset(sqlite3_stmt *);
int sqlite3_column_count(sqlite3_stmt *);
int sqlite3_column_type(sqlite3_stmt *, int);
int sqlite3_column_bytes(sqlite3_stmt *, int);
const void *sqlite3_column_blob(sqlite3_stmt *, int);
sqlite3_int64 sqlite3_column_int64(sqlite3_stmt *, int);

enum { ROW = 100, DONE = 101, INTEGER = 1, PERSISTENT = 1 };

/* As the service opens its connections: src/store/connection.rs. */
static const char *const SETTINGS =
    "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
    "PRAGMA wal_autocheckpoint = 4000;";

static sqlite3 *database;
static uint64_t seen; /* What was read, so that it has to be. */

static void give_up(const char *what, const char *text)
{
    fprintf(stderr, "rawloop: %s: %s: %s\n", what, database ? sqlite3_errmsg(database) : "", text);
    exit(1);
}

static char *at;

static uint32_t number(void)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
}

static void bind(sqlite3_stmt *statement, int place)
{
    sqlite3_int64 whole;
    double real;
    uint32_t length;
    switch (*at++) {
    case 'n':
        sqlite3_bind_null(statement, place);
        break;
    case 'i':
        memcpy(&whole, at, sizeof whole);
        at += sizeof whole;
        sqlite3_bind_int64(statement, place, whole);
        break;
    case 'r':
        memcpy(&real, at, sizeof real);
        at += sizeof real;
        sqlite3_bind_double(statement, place, real);
        break;
    case 't':
        length = number();
        sqlite3_bind_text(statement, place, at, (int)length, NULL);
        at += length;
        break;
    case 'b':
        length = number();
        sqlite3_bind_blob(statement, place, at, (int)length, NULL);
        at += length;
        break;
    default:
        give_up("a value", "of no kind");
    }
}

static void run(sqlite3_stmt *statement, const char *text)
{
    int result;
    while ((result = sqlite3_step(statement)) == ROW) {
        int columns = sqlite3_column_count(statement);
        for (int column = 0; column < columns; column++) {
            if (sqlite3_column_type(statement, column) == INTEGER) {
                seen += (uint64_t)sqlite3_column_int64(statement, column);
            } else {
                const char *bytes = sqlite3_column_blob(statement, column);
                int length = sqlite3_column_bytes(statement, column);
                if (bytes && length > 0)
                    seen += (unsigned char)bytes[length - 1];
            }
        }
    }
    if (result != DONE)
        give_up("a statement", text);
    sqlite3_reset(statement);
}

static void outright(const char *text)
{
    if (sqlite3_exec(database, text, NULL, NULL, NULL))
        give_up("a statement", text);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments)
{
    if (count != 5)
        give_up("usage", "rawloop DATABASE SCRIPT SECONDS TOGETHER");
    uint64_t together = strtoull(arguments[4], NULL, 10);
    double seconds = atof(arguments[3]);
    FILE *file = fopen(arguments[2], "rb");
    if (!file || fseek(file, 0, SEEK_END))
        give_up("the script", arguments[2]);
    size_t size = (size_t)ftell(file);
    char *script = malloc(size + 1);
    rewind(file);
    if (!script || fread(script, 1, size, file) != size)
        give_up("the script", arguments[2]);
    fclose(file);
    if (sqlite3_open(arguments[1], &database) || sqlite3_exec(database, SETTINGS, NULL, NULL, NULL))
        give_up("the database", arguments[1]);

    at = script;
    uint32_t texts = number();
    sqlite3_stmt **statements = calloc(texts, sizeof *statements);
    char **written = calloc(texts, sizeof *written);
    char *borders = calloc(texts, sizeof *borders);
    for (uint32_t place = 0; place < texts; place++) {
        uint32_t length = number();
        written[place] = strndup(at, length);
        borders[place] = !strncmp(written[place], "BEGIN", 5) || !strcmp(written[place], "COMMIT");
        if (sqlite3_prepare_v3(database, at, (int)length, PERSISTENT, &statements[place], NULL))
            give_up("a text", written[place]);
        at += length;
    }
    uint32_t requests = number();
    char *first = at;
    uint64_t done = 0;
    double begun = now(), spent = 0;
    if (together > 1)
        outright("BEGIN IMMEDIATE");
    do {
        at = first;
        for (uint32_t request = 0; request < requests; request++) {
            uint32_t parts = number();
            for (uint32_t part = 0; part < parts; part++) {
                uint32_t place = number(), values = number();
                for (uint32_t value = 1; value <= values; value++)
                    bind(statements[place], (int)value);
                if (together == 1 || !borders[place])
                    run(statements[place], written[place]);
            }
            done++;
            if (together > 1 && done % together == 0)
                outright("COMMIT; BEGIN IMMEDIATE");
        }
        spent = now() - begun;
    } while (spent < seconds);
    if (together > 1)
        outright("COMMIT");
    printf("%llu %.6f %llu\n", (unsigned long long)done, spent, (unsigned long long)seen);
    return 0;
}
