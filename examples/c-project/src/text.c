#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *need_memory(void *old, size_t size)
{
    void *memory = realloc(old, size);

    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(70);
    }
    return memory;
}

char *copy_string(const char *start, size_t length)
{
    char *copy = need_memory(NULL, length + 1);

    memcpy(copy, start, length);
    copy[length] = '\0';
    return copy;
}

void text_add(Text *text, const char *piece, size_t length)
{
    if (text->length + length + 1 > text->room) {
        text->room = 2 * (text->length + length + 1);
        text->data = need_memory(text->data, text->room);
    }
    memcpy(text->data + text->length, piece, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_adds(Text *text, const char *piece)
{
    text_add(text, piece, strlen(piece));
}

void text_addf(Text *text, const char *format, ...)
{
    char piece[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    text_adds(text, piece);
}

const char *text_string(const Text *text)
{
    return text->data ? text->data : "";
}

void text_clear(Text *text)
{
    text->length = 0;
    if (text->data)
        text->data[0] = '\0';
}

void text_free(Text *text)
{
    free(text->data);
    *text = (Text){0};
}
