#ifndef ERROR_H
#define ERROR_H

#include <stdbool.h>

/* What went wrong and where; columns count from 1, 0 means "nowhere special". */
typedef struct {
    int column;
    char text[120];
} Error;

/* Fills in the error and returns false, so that callers can `return fail(...)`. */
bool fail(Error *error, int column, const char *format, ...);

#endif
