#ifndef PRINTER_H
#define PRINTER_H

#include "ast.h"
#include "text.h"

/* 7/12, or with digits >= 0 behind the point: 0.583 */
void print_fraction(Text *text, Number number);
void print_decimal(Text *text, Number number, int digits);

/* The tree with all its brackets: (1 + (2 * 3)) */
void print_tree(Text *text, const Node *node);

#endif
