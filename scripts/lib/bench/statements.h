/* Lets SQLite write down what it is asked: taken into its source by SQLITE_CUSTOM_INCLUDE, and called for
 * each connection by SQLITE_EXTRA_AUTOEXT=bench_listen. Every statement that begins is appended to the file
 * that BENCH_STATEMENTS names: a line with the connection and two lengths, its text, and its text with
 * the values. Only scripts/bench builds a program like that, and never ships it. */
#ifndef BENCH_STATEMENTS_H
#define BENCH_STATEMENTS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_trace_v2(sqlite3 *, unsigned, int (*)(unsigned, void *, void *, void *), void *);
char *sqlite3_expanded_sql(sqlite3_stmt *);
const char *sqlite3_sql(sqlite3_stmt *);
void sqlite3_free(void *);

static int bench_note(unsigned kind, void *database, void *statement, void *text)
{
    static int file = -1;
    const char *sql = sqlite3_sql(statement);
    char *whole, *record;
    size_t head, bare, full;
    (void)kind;
    /* A trigger is told of as a comment; it runs by itself. */
    if (!sql || strncmp(text, "--", 2) == 0 || !(whole = sqlite3_expanded_sql(statement)))
        return 0;
    if (file < 0)
        file = open(getenv("BENCH_STATEMENTS"), O_WRONLY | O_APPEND | O_CREAT, 0600);
    bare = strlen(sql);
    full = strlen(whole);
    if (file >= 0 && (record = malloc(64 + bare + full))) {
        head = snprintf(record, 64, "%p %zu %zu\n", database, bare, full);
        memcpy(record + head, sql, bare);
        memcpy(record + head + bare, whole, full);
        /* All at once: other threads write to the file, too. */
        if (write(file, record, head + bare + full) < 0)
            abort();
        free(record);
    }
    sqlite3_free(whole);
    return 0;
}

int bench_listen(sqlite3 *database)
{
    const unsigned statements = 1; /* SQLITE_TRACE_STMT */
    if (getenv("BENCH_STATEMENTS"))
        sqlite3_trace_v2(database, statements, bench_note, database);
    return 0;
}

#endif
