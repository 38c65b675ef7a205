#ifndef LEXER_H
#define LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef enum { TOKEN_NUMBER, TOKEN_NAME, TOKEN_SIGN, TOKEN_END } TokenKind;

typedef struct {
    TokenKind kind;
    char sign;         /* of a TOKEN_SIGN: one of + - * / ^ ( ) , = */
    const char *start; /* points into the line that is read */
    size_t length;
    int column;
} Token;

typedef struct {
    const char *line, *next;
} Lexer;

void lexer_start(Lexer *lexer, const char *line);
bool lexer_read(Lexer *lexer, Token *token, Error *error);

#endif
