#include "printer.h"

void print_fraction(Text *text, Number number)
{
    text_addf(text, "%lld", number.top);
    if (number.bottom != 1)
        text_addf(text, "/%lld", number.bottom);
}

/* Long division; what is left of the number behind the last digit is cut off. */
void print_decimal(Text *text, Number number, int digits)
{
    unsigned long long top = (unsigned long long)(number.top < 0 ? -number.top : number.top);
    unsigned long long bottom = (unsigned long long)number.bottom;
    unsigned long long rest = top % bottom;

    text_addf(text, "%s%llu", number.top < 0 ? "-" : "", top / bottom);
    if (digits > 0)
        text_adds(text, ".");
    for (int i = 0; i < digits; i++) {
        int digit = 0;
        /* rest * 10 may not fit: add it up ten times, taking bottom away as we go */
        unsigned long long sum = 0;
        for (int j = 0; j < 10; j++) {
            sum += rest;
            if (sum >= bottom) {
                sum -= bottom;
                digit++;
            }
        }
        rest = sum;
        text_addf(text, "%d", digit);
    }
}

static void print_children(Text *text, const Node *node, const char *between)
{
    for (size_t i = 0; i < node->children.count; i++) {
        if (i)
            text_adds(text, between);
        print_tree(text, node_child(node, i));
    }
}

void print_tree(Text *text, const Node *node)
{
    char between[] = " ? ";

    switch (node->kind) {
    case NODE_NUMBER:
        print_fraction(text, node->number);
        break;
    case NODE_NAME:
        text_adds(text, node->name);
        break;
    case NODE_NEGATE:
        text_adds(text, "(-");
        print_children(text, node, "");
        text_adds(text, ")");
        break;
    case NODE_BINARY:
        between[1] = node->sign;
        text_adds(text, "(");
        print_children(text, node, between);
        text_adds(text, ")");
        break;
    case NODE_CALL:
        text_adds(text, node->name);
        text_adds(text, "(");
        print_children(text, node, ", ");
        text_adds(text, ")");
        break;
    case NODE_ASSIGN:
        text_adds(text, node->name);
        text_adds(text, " = ");
        print_children(text, node, "");
        break;
    }
}
