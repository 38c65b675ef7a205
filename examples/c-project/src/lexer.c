#include "lexer.h"

#include <ctype.h>
#include <string.h>

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_digit(char c)
{
    return isdigit((unsigned char)c);
}

void lexer_start(Lexer *lexer, const char *line)
{
    lexer->line = lexer->next = line;
}

static bool read_number(Lexer *lexer, Token *token, Error *error)
{
    int points = 0, digits = 0;

    while (is_digit(*lexer->next) || *lexer->next == '.') {
        if (*lexer->next == '.')
            points++;
        else
            digits++;
        lexer->next++;
    }
    token->kind = TOKEN_NUMBER;
    token->length = (size_t)(lexer->next - token->start);
    if (points > 1 || digits == 0)
        return fail(error, token->column, "'%.*s' is not a number",
                    (int)(token->length < 40 ? token->length : 40), token->start);
    return true;
}

bool lexer_read(Lexer *lexer, Token *token, Error *error)
{
    while (isspace((unsigned char)*lexer->next))
        lexer->next++;

    *token = (Token){.kind = TOKEN_END, .start = lexer->next};
    token->column = (int)(lexer->next - lexer->line) + 1;

    char c = *lexer->next;
    if (c == '\0' || c == '#')
        return true;
    if (is_digit(c) || c == '.')
        return read_number(lexer, token, error);
    if (is_letter(c)) {
        while (is_letter(*lexer->next) || is_digit(*lexer->next))
            lexer->next++;
        token->kind = TOKEN_NAME;
    } else if (strchr("+-*/^(),=", c)) {
        lexer->next++;
        token->kind = TOKEN_SIGN;
        token->sign = c;
    } else {
        return fail(error, token->column, "'%c' has no meaning here", c);
    }
    token->length = (size_t)(lexer->next - token->start);
    return true;
}
