#include "vector.h"

#include <stdlib.h>

#include "text.h"

void vector_push(Vector *vector, void *item)
{
    if (vector->count == vector->room) {
        vector->room = vector->room ? 2 * vector->room : 4;
        vector->items = need_memory(vector->items, vector->room * sizeof *vector->items);
    }
    vector->items[vector->count++] = item;
}

void vector_free(Vector *vector, void (*release)(void *))
{
    for (size_t i = 0; release && i < vector->count; i++)
        release(vector->items[i]);
    free(vector->items);
    *vector = (Vector){0};
}
