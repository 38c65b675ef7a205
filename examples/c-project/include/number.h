#ifndef NUMBER_H
#define NUMBER_H

#include <stddef.h>

/* An exact fraction in lowest terms; `bottom` is always positive. */
typedef struct {
    long long top, bottom;
} Number;

typedef enum { NUMBER_OK, NUMBER_TOO_BIG, NUMBER_ZERO_BELOW } NumberStatus;

NumberStatus number_make(Number *result, long long top, long long bottom);
NumberStatus number_read(Number *result, const char *digits, size_t length);

NumberStatus number_add(Number *result, Number a, Number b);
NumberStatus number_subtract(Number *result, Number a, Number b);
NumberStatus number_multiply(Number *result, Number a, Number b);
NumberStatus number_divide(Number *result, Number a, Number b);
NumberStatus number_power(Number *result, Number base, Number exponent);

Number number_negate(Number a);
Number number_floor(Number a);
NumberStatus number_compare(int *order, Number a, Number b);

const char *number_complaint(NumberStatus status);

#endif
