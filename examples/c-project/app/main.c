/* calc: a calculator for exact fractions.
 *
 *   calc '1/3 + 1/4'          each argument is a line
 *   calc -d 5 '22/7'          decimals instead of fractions
 *   calc                      reads lines from the standard input
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calculator.h"

static bool answer_line(Calculator *calculator, const char *line)
{
    Text answer = {0};
    bool fine = calculator_run(calculator, line, &answer);

    fprintf(fine ? stdout : stderr, "%s\n", text_string(&answer));
    text_free(&answer);
    return fine;
}

static bool is_blank(const char *line)
{
    line += strspn(line, " \t\r\n");
    return *line == '\0' || *line == '#';
}

static bool answer_input(Calculator *calculator)
{
    char line[1024];
    bool fine = true;

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!is_blank(line) && !answer_line(calculator, line))
            fine = false;
    }
    return fine;
}

int main(int count, char **words)
{
    Calculator calculator = {.digits = -1};
    bool fine = true;
    int first = 1;

    if (count > 2 && strcmp(words[1], "-d") == 0) {
        calculator.digits = atoi(words[2]);
        first = 3;
    }
    if (first == count)
        fine = answer_input(&calculator);
    for (int i = first; i < count; i++)
        if (!answer_line(&calculator, words[i]))
            fine = false;
    calculator_free(&calculator);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
