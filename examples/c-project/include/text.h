#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* A string that grows. An all-zero Text is an empty one. */
typedef struct {
    char *data;
    size_t length, room;
} Text;

void text_add(Text *text, const char *piece, size_t length);
void text_adds(Text *text, const char *piece);
void text_addf(Text *text, const char *format, ...);
const char *text_string(const Text *text);
void text_clear(Text *text);
void text_free(Text *text);

/* A fresh copy of the first `length` characters. */
char *copy_string(const char *start, size_t length);

/* malloc/realloc that never return NULL. */
void *need_memory(void *old, size_t size);

#endif
