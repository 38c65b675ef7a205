#include "number.h"

#include <limits.h>
#include <stdbool.h>

static long long common_divisor(long long a, long long b)
{
    while (b) {
        long long rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* LLONG_MIN has no positive twin, so it is kept out of all fractions. */
NumberStatus number_make(Number *result, long long top, long long bottom)
{
    if (bottom == 0)
        return NUMBER_ZERO_BELOW;
    if (top == LLONG_MIN || bottom == LLONG_MIN)
        return NUMBER_TOO_BIG;
    if (bottom < 0) {
        top = -top;
        bottom = -bottom;
    }
    long long divisor = common_divisor(top, bottom);
    *result = (Number){top / divisor, bottom / divisor};
    return NUMBER_OK;
}

/* Digits with at most one point: "12", "0.125", ".5". */
NumberStatus number_read(Number *result, const char *digits, size_t length)
{
    long long top = 0, bottom = 1;
    bool behind_point = false;

    for (size_t i = 0; i < length; i++) {
        if (digits[i] == '.') {
            behind_point = true;
            continue;
        }
        if (__builtin_mul_overflow(top, 10, &top) ||
            __builtin_add_overflow(top, digits[i] - '0', &top) ||
            (behind_point && __builtin_mul_overflow(bottom, 10, &bottom)))
            return NUMBER_TOO_BIG;
    }
    return number_make(result, top, bottom);
}

NumberStatus number_add(Number *result, Number a, Number b)
{
    long long left, right, top, bottom;
    long long divisor = common_divisor(a.bottom, b.bottom);

    if (__builtin_mul_overflow(a.top, b.bottom / divisor, &left) ||
        __builtin_mul_overflow(b.top, a.bottom / divisor, &right) ||
        __builtin_add_overflow(left, right, &top) ||
        __builtin_mul_overflow(a.bottom, b.bottom / divisor, &bottom))
        return NUMBER_TOO_BIG;
    return number_make(result, top, bottom);
}

NumberStatus number_subtract(Number *result, Number a, Number b)
{
    return number_add(result, a, number_negate(b));
}

NumberStatus number_multiply(Number *result, Number a, Number b)
{
    /* Reduce crosswise first: fewer products overflow. */
    long long one = common_divisor(a.top, b.bottom);
    long long two = common_divisor(b.top, a.bottom);
    long long top, bottom;

    if (__builtin_mul_overflow(a.top / one, b.top / two, &top) ||
        __builtin_mul_overflow(a.bottom / two, b.bottom / one, &bottom))
        return NUMBER_TOO_BIG;
    return number_make(result, top, bottom);
}

NumberStatus number_divide(Number *result, Number a, Number b)
{
    Number inverse;
    NumberStatus status = number_make(&inverse, b.bottom, b.top);

    return status == NUMBER_OK ? number_multiply(result, a, inverse) : status;
}

/* Whole exponents only; the caller has checked that. */
NumberStatus number_power(Number *result, Number base, Number exponent)
{
    NumberStatus status;
    Number power = {1, 1};
    long long times = exponent.top;

    if (times < 0) {
        status = number_divide(&base, power, base);
        if (status != NUMBER_OK)
            return status;
        times = -times;
    }
    while (times) {
        if (times % 2) {
            status = number_multiply(&power, power, base);
            if (status != NUMBER_OK)
                return status;
        }
        times /= 2;
        if (times) {
            status = number_multiply(&base, base, base);
            if (status != NUMBER_OK)
                return status;
        }
    }
    *result = power;
    return NUMBER_OK;
}

Number number_negate(Number a)
{
    return (Number){-a.top, a.bottom};
}

Number number_floor(Number a)
{
    long long whole = a.top / a.bottom;

    return (Number){whole - (a.top % a.bottom < 0), 1};
}

NumberStatus number_compare(int *order, Number a, Number b)
{
    Number difference;
    NumberStatus status = number_subtract(&difference, a, b);

    if (status == NUMBER_OK)
        *order = (difference.top > 0) - (difference.top < 0);
    return status;
}

const char *number_complaint(NumberStatus status)
{
    switch (status) {
    case NUMBER_TOO_BIG:
        return "the number is too big";
    case NUMBER_ZERO_BELOW:
        return "division by zero";
    default:
        return "no complaint";
    }
}
