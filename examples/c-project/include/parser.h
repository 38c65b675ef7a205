#ifndef PARSER_H
#define PARSER_H

#include "ast.h"
#include "error.h"

/* The tree of one line; NULL, with the error filled in, if the line is wrong. */
Node *parse(const char *line, Error *error);

#endif
