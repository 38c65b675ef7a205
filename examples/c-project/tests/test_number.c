#include <limits.h>

#include "check.h"
#include "number.h"
#include "printer.h"

static void shows(Number number, const char *fraction, const char *decimal)
{
    Text text = {0};

    print_fraction(&text, number);
    SAME(text_string(&text), fraction);
    text_clear(&text);
    print_decimal(&text, number, 4);
    SAME(text_string(&text), decimal);
    text_free(&text);
}

int main(void)
{
    Number a, b, c;
    int order;

    CHECK(number_make(&a, 6, -8) == NUMBER_OK);
    shows(a, "-3/4", "-0.7500");
    CHECK(number_read(&b, "0.125", 5) == NUMBER_OK);
    shows(b, "1/8", "0.1250");

    CHECK(number_add(&c, a, b) == NUMBER_OK);
    shows(c, "-5/8", "-0.6250");
    CHECK(number_multiply(&c, a, b) == NUMBER_OK);
    shows(c, "-3/32", "-0.0937");
    CHECK(number_divide(&c, a, b) == NUMBER_OK);
    shows(c, "-6", "-6.0000");
    CHECK(number_power(&c, a, (Number){-2, 1}) == NUMBER_OK);
    shows(c, "16/9", "1.7777");
    shows(number_floor(a), "-1", "-1.0000");
    CHECK(number_compare(&order, a, b) == NUMBER_OK && order == -1);

    CHECK(number_make(&c, 1, 0) == NUMBER_ZERO_BELOW);
    CHECK(number_divide(&c, a, (Number){0, 1}) == NUMBER_ZERO_BELOW);
    CHECK(number_add(&c, (Number){LLONG_MAX, 1}, (Number){1, 1}) == NUMBER_TOO_BIG);
    CHECK(number_power(&c, (Number){10, 1}, (Number){19, 1}) == NUMBER_TOO_BIG);
    CHECK(number_read(&c, "99999999999999999999", 20) == NUMBER_TOO_BIG);
    shows((Number){1, LLONG_MAX}, "1/9223372036854775807", "0.0000");
    return report("number");
}
