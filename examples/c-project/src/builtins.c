#include "builtins.h"

#include <string.h>

typedef NumberStatus Function(Number *result, const Number *arguments, size_t count);

static NumberStatus absolute(Number *result, const Number *arguments, size_t count)
{
    (void)count;
    *result = arguments[0].top < 0 ? number_negate(arguments[0]) : arguments[0];
    return NUMBER_OK;
}

static NumberStatus whole(Number *result, const Number *arguments, size_t count)
{
    (void)count;
    *result = number_floor(arguments[0]);
    return NUMBER_OK;
}

/* The argument that comes last in the direction given by `wanted`. */
static NumberStatus extreme(Number *result, const Number *arguments, size_t count, int wanted)
{
    Number best = arguments[0];

    for (size_t i = 1; i < count; i++) {
        int order;
        NumberStatus status = number_compare(&order, arguments[i], best);
        if (status != NUMBER_OK)
            return status;
        if (order == wanted)
            best = arguments[i];
    }
    *result = best;
    return NUMBER_OK;
}

static NumberStatus smallest(Number *result, const Number *arguments, size_t count)
{
    return extreme(result, arguments, count, -1);
}

static NumberStatus greatest(Number *result, const Number *arguments, size_t count)
{
    return extreme(result, arguments, count, 1);
}

static NumberStatus mean(Number *result, const Number *arguments, size_t count)
{
    Number total = {0, 1};

    for (size_t i = 0; i < count; i++) {
        NumberStatus status = number_add(&total, total, arguments[i]);
        if (status != NUMBER_OK)
            return status;
    }
    return number_divide(result, total, (Number){(long long)count, 1});
}

static const struct {
    const char *name;
    Function *function;
    size_t fewest, most; /* most == 0: any number */
} builtins[] = {
    {"abs", absolute, 1, 1}, {"floor", whole, 1, 1},  {"max", greatest, 1, 0},
    {"mean", mean, 1, 0},    {"min", smallest, 1, 0},
};

bool call_builtin(const char *name, const Number *arguments, size_t count, int column,
                  Number *result, Error *error)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        if (strcmp(builtins[i].name, name) != 0)
            continue;
        if (count < builtins[i].fewest || (builtins[i].most && count > builtins[i].most))
            return fail(error, column, "%s does not take %zu arguments", name, count);
        NumberStatus status = builtins[i].function(result, arguments, count);
        return status == NUMBER_OK || fail(error, column, "%s", number_complaint(status));
    }
    return fail(error, column, "there is no function '%.40s'", name);
}
