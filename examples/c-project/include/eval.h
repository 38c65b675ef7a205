#ifndef EVAL_H
#define EVAL_H

#include "ast.h"
#include "error.h"
#include "symbols.h"

bool evaluate(const Node *node, Symbols *symbols, Number *result, Error *error);

#endif
