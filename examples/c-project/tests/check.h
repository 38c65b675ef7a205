#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

/* A test program calls CHECK and SAME, and returns report() from main. */
static int checks, failures;

#define CHECK(condition)                                                     \
    do {                                                                     \
        checks++;                                                            \
        if (!(condition)) {                                                  \
            failures++;                                                      \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                    \
    } while (0)

#define SAME(found, wanted) same(__FILE__, __LINE__, (found), (wanted))

static inline void same(const char *file, int line, const char *found, const char *wanted)
{
    checks++;
    if (strcmp(found, wanted) != 0) {
        failures++;
        printf("%s:%d: found \"%s\", wanted \"%s\"\n", file, line, found, wanted);
    }
}

static inline int report(const char *name)
{
    printf("%s: %d checks, %d failed\n", name, checks, failures);
    return failures != 0;
}

#endif
