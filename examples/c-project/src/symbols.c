#include "symbols.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

struct Symbol {
    char *name;
    Number value;
    struct Symbol *next;
};

static unsigned bucket_of(const char *name)
{
    unsigned hash = 5381;

    for (; *name; name++)
        hash = hash * 33 ^ (unsigned char)*name;
    return hash % SYMBOL_BUCKETS;
}

static struct Symbol *find(const Symbols *symbols, const char *name)
{
    struct Symbol *symbol = symbols->buckets[bucket_of(name)];

    while (symbol && strcmp(symbol->name, name) != 0)
        symbol = symbol->next;
    return symbol;
}

void symbols_set(Symbols *symbols, const char *name, Number value)
{
    struct Symbol *symbol = find(symbols, name);

    if (!symbol) {
        unsigned bucket = bucket_of(name);
        symbol = need_memory(NULL, sizeof *symbol);
        symbol->name = copy_string(name, strlen(name));
        symbol->next = symbols->buckets[bucket];
        symbols->buckets[bucket] = symbol;
    }
    symbol->value = value;
}

bool symbols_get(const Symbols *symbols, const char *name, Number *value)
{
    const struct Symbol *symbol = find(symbols, name);

    if (symbol)
        *value = symbol->value;
    return symbol != NULL;
}

void symbols_free(Symbols *symbols)
{
    for (int i = 0; i < SYMBOL_BUCKETS; i++)
        while (symbols->buckets[i]) {
            struct Symbol *symbol = symbols->buckets[i];
            symbols->buckets[i] = symbol->next;
            free(symbol->name);
            free(symbol);
        }
}
