#ifndef BUILTINS_H
#define BUILTINS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "number.h"

/* Calls abs, floor, min, max or mean. */
bool call_builtin(const char *name, const Number *arguments, size_t count, int column,
                  Number *result, Error *error);

#endif
