#include "eval.h"

#include <stdlib.h>

#include "builtins.h"
#include "text.h"

static bool binary(const Node *node, Symbols *symbols, Number *result, Error *error)
{
    Number left, right;
    NumberStatus status = NUMBER_OK;

    if (!evaluate(node_child(node, 0), symbols, &left, error) ||
        !evaluate(node_child(node, 1), symbols, &right, error))
        return false;
    switch (node->sign) {
    case '+':
        status = number_add(result, left, right);
        break;
    case '-':
        status = number_subtract(result, left, right);
        break;
    case '*':
        status = number_multiply(result, left, right);
        break;
    case '/':
        status = number_divide(result, left, right);
        break;
    case '^':
        if (right.bottom != 1)
            return fail(error, node->column, "only whole exponents give exact results");
        status = number_power(result, left, right);
        break;
    }
    return status == NUMBER_OK || fail(error, node->column, "%s", number_complaint(status));
}

static bool call(const Node *node, Symbols *symbols, Number *result, Error *error)
{
    size_t count = node->children.count;
    Number *arguments = need_memory(NULL, (count + 1) * sizeof *arguments);
    bool fine = true;

    for (size_t i = 0; fine && i < count; i++)
        fine = evaluate(node_child(node, i), symbols, &arguments[i], error);
    fine = fine && call_builtin(node->name, arguments, count, node->column, result, error);
    free(arguments);
    return fine;
}

bool evaluate(const Node *node, Symbols *symbols, Number *result, Error *error)
{
    switch (node->kind) {
    case NODE_NUMBER:
        *result = node->number;
        return true;
    case NODE_NAME:
        return symbols_get(symbols, node->name, result) ||
               fail(error, node->column, "'%.40s' has no value yet", node->name);
    case NODE_NEGATE:
        if (!evaluate(node_child(node, 0), symbols, result, error))
            return false;
        *result = number_negate(*result);
        return true;
    case NODE_BINARY:
        return binary(node, symbols, result, error);
    case NODE_CALL:
        return call(node, symbols, result, error);
    case NODE_ASSIGN:
        if (!evaluate(node_child(node, 0), symbols, result, error))
            return false;
        symbols_set(symbols, node->name, *result);
        return true;
    }
    return fail(error, node->column, "a tree of an unknown kind");
}
