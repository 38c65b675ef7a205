#include "check.h"
#include "lexer.h"

int main(void)
{
    Lexer lexer;
    Token token;
    Error error = {0};
    TokenKind wanted[] = {TOKEN_NAME, TOKEN_SIGN,   TOKEN_NUMBER,
                          TOKEN_SIGN, TOKEN_NUMBER, TOKEN_END};
    int columns[] = {1, 4, 6, 9, 10, 12};

    lexer_start(&lexer, "x_1= 2.5*.5 # the rest is a comment");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        CHECK(lexer_read(&lexer, &token, &error));
        CHECK(token.kind == wanted[i]);
        if (token.kind != TOKEN_END)
            CHECK(token.column == columns[i]);
    }

    lexer_start(&lexer, "1.2.3");
    CHECK(!lexer_read(&lexer, &token, &error));
    SAME(error.text, "'1.2.3' is not a number");

    lexer_start(&lexer, "7 & 8");
    CHECK(lexer_read(&lexer, &token, &error));
    CHECK(!lexer_read(&lexer, &token, &error));
    CHECK(error.column == 3);
    return report("lexer");
}
