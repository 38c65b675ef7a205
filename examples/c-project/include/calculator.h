#ifndef CALCULATOR_H
#define CALCULATOR_H

#include "error.h"
#include "symbols.h"
#include "text.h"

/* Lines that share their variables. */
typedef struct {
    Symbols symbols;
    int digits; /* behind the decimal point; negative: print fractions */
} Calculator;

/* Works out one line. Its result, or a message with a caret, is added to `answer`. */
bool calculator_run(Calculator *calculator, const char *line, Text *answer);
void calculator_free(Calculator *calculator);

#endif
