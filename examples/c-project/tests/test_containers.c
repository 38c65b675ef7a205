#include <stdlib.h>

#include "check.h"
#include "symbols.h"
#include "text.h"
#include "vector.h"

static void test_text(void)
{
    Text text = {0};

    SAME(text_string(&text), "");
    for (int i = 0; i < 100; i++)
        text_addf(&text, "%d,", i % 10);
    CHECK(text.length == 200);
    text_clear(&text);
    text_adds(&text, "short");
    SAME(text_string(&text), "short");
    text_free(&text);
}

static void test_vector(void)
{
    Vector vector = {0};

    for (int i = 0; i < 50; i++)
        vector_push(&vector, copy_string("abcdef", (size_t)i % 7));
    CHECK(vector.count == 50);
    SAME((char *)vector.items[10], "abc");
    vector_free(&vector, free);
    CHECK(vector.count == 0);
}

static void test_symbols(void)
{
    Symbols symbols = {0};
    Number value = {0, 1};
    char name[16];

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "name%d", i);
        symbols_set(&symbols, name, (Number){i, 1});
    }
    CHECK(symbols_get(&symbols, "name123", &value) && value.top == 123);
    symbols_set(&symbols, "name123", (Number){-1, 2});
    CHECK(symbols_get(&symbols, "name123", &value) && value.top == -1 && value.bottom == 2);
    CHECK(!symbols_get(&symbols, "nobody", &value));
    symbols_free(&symbols);
}

int main(void)
{
    test_text();
    test_vector();
    test_symbols();
    return report("containers");
}
