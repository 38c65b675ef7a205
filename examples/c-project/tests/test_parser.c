#include "check.h"
#include "parser.h"
#include "printer.h"

static void parses(const char *line, const char *wanted)
{
    Error error = {0};
    Text text = {0};
    Node *tree = parse(line, &error);

    CHECK(tree != NULL);
    if (tree)
        print_tree(&text, tree);
    SAME(text_string(&text), wanted);
    text_free(&text);
    node_free(tree);
}

static void refuses(const char *line, int column, const char *wanted)
{
    Error error = {0};
    Node *tree = parse(line, &error);

    CHECK(tree == NULL);
    CHECK(error.column == column);
    SAME(error.text, wanted);
    node_free(tree);
}

int main(void)
{
    parses("1 + 2 * 3", "(1 + (2 * 3))");
    parses("1 - 2 - 3", "((1 - 2) - 3)");
    parses("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))");
    parses("-x ^ 2", "(-(x ^ 2))");
    parses("2 ^ -1", "(2 ^ (-1))");
    parses("share = max(1, a / 2)", "share = max(1, (a / 2))");
    parses("f()", "f()");

    refuses("", 1, "a number, a name or '(' expected, but the line ends");
    refuses("(1 + 2", 7, "')' expected, but the line ends");
    refuses("1 2", 3, "an operator or the end of the line expected, not '2'");
    refuses("2 = 3", 3, "an operator or the end of the line expected, not '='");
    refuses("min(1 2)", 7, "',' or ')' expected, not '2'");
    refuses("min(1,)", 7, "a number, a name or '(' expected, not ')'");

    char deep[1001] = {0};
    memset(deep, '(', 1000);
    refuses(deep, 201, "the expression is nested too deeply");
    return report("parser");
}
