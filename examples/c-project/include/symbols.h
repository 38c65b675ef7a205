#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>

#include "number.h"

enum { SYMBOL_BUCKETS = 64 };

/* Names and their values. An all-zero Symbols is an empty table. */
typedef struct {
    struct Symbol *buckets[SYMBOL_BUCKETS];
} Symbols;

void symbols_set(Symbols *symbols, const char *name, Number value);
bool symbols_get(const Symbols *symbols, const char *name, Number *value);
void symbols_free(Symbols *symbols);

#endif
