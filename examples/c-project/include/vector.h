#ifndef VECTOR_H
#define VECTOR_H

#include <stddef.h>

/* A list of pointers that grows. An all-zero Vector is an empty one. */
typedef struct {
    void **items;
    size_t count, room;
} Vector;

void vector_push(Vector *vector, void *item);

/* Empties the list; `release`, if not NULL, is called for each item. */
void vector_free(Vector *vector, void (*release)(void *));

#endif
