#include "calculator.h"

#include "eval.h"
#include "parser.h"
#include "printer.h"

static bool complain(const Error *error, const char *line, Text *answer)
{
    text_addf(answer, "error: %s", error->text);
    if (error->column > 0) {
        text_adds(answer, "\n  ");
        text_adds(answer, line);
        text_adds(answer, "\n  ");
        for (int i = 1; i < error->column; i++)
            text_adds(answer, " ");
        text_adds(answer, "^");
    }
    return false;
}

bool calculator_run(Calculator *calculator, const char *line, Text *answer)
{
    Error error = {0};
    Number result = {0, 1};
    Node *tree = parse(line, &error);

    if (!tree)
        return complain(&error, line, answer);
#ifdef CALC_DEBUG
    print_tree(answer, tree);
    text_adds(answer, "\n");
#endif
    bool fine = evaluate(tree, &calculator->symbols, &result, &error);
    node_free(tree);
    if (!fine)
        return complain(&error, line, answer);
    if (calculator->digits < 0)
        print_fraction(answer, result);
    else
        print_decimal(answer, result, calculator->digits);
    return true;
}

void calculator_free(Calculator *calculator)
{
    symbols_free(&calculator->symbols);
}
