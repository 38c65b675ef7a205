#include "check.h"
#include "calculator.h"
#include "parser.h"

static Calculator calculator = {.digits = -1};

/* The last line of the answer: debug builds print the tree before it. */
static void answers(const char *line, bool fine, const char *wanted)
{
    Text answer = {0};

    CHECK(calculator_run(&calculator, line, &answer) == fine);
    const char *found = text_string(&answer);
#ifdef CALC_DEBUG
    Error error = {0};
    Node *tree = parse(line, &error);
    if (tree && strchr(found, '\n'))
        found = strchr(found, '\n') + 1;
    node_free(tree);
#endif
    SAME(found, wanted);
    text_free(&answer);
}

int main(void)
{
    answers("1/3 + 1/4", true, "7/12");
    answers("half = 0.5", true, "1/2");
    answers("half ^ 3 * 16", true, "2");
    answers("half = half / 2", true, "1/4");
    answers("max(half, 1/3, -2)", true, "1/3");
    answers("min(half, 1/3, -2)", true, "-2");
    answers("mean(1, 2, 4)", true, "7/3");
    answers("floor(-7/2) + abs(-1/2)", true, "-7/2");

    answers("1 / (2 - 2)", false, "error: division by zero\n  1 / (2 - 2)\n    ^");
    answers("3 + nothing", false, "error: 'nothing' has no value yet\n  3 + nothing\n      ^");
    answers("9 ^ 0.5", false,
            "error: only whole exponents give exact results\n  9 ^ 0.5\n    ^");
    answers("abs(1, 2)", false, "error: abs does not take 2 arguments\n  abs(1, 2)\n  ^");
    answers("sin(1)", false, "error: there is no function 'sin'\n  sin(1)\n  ^");

    calculator.digits = 6;
    answers("22/7", true, "3.142857");
    calculator_free(&calculator);
    return report("calculator");
}
