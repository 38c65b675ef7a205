/* Recursive descent over this grammar:
 *
 *   line    = [ name "=" ] sum
 *   sum     = product { ("+" | "-") product }
 *   product = unary { ("*" | "/") unary }
 *   unary   = "-" unary | power
 *   power   = atom [ "^" unary ]
 *   atom    = number | name | name "(" [ sum { "," sum } ] ")" | "(" sum ")"
 *
 * Each function returns a tree that belongs to the caller, or NULL after an error.
 */
#include "parser.h"

#include <string.h>

#include "lexer.h"
#include "text.h"

enum { DEEPEST = 200 };

typedef struct {
    Lexer lexer;
    Token token; /* the one not yet used */
    int depth;
    Error *error;
} Parser;

static Node *sum(Parser *parser);
static Node *unary(Parser *parser);

static bool advance(Parser *parser)
{
    return lexer_read(&parser->lexer, &parser->token, parser->error);
}

static bool at_sign(const Parser *parser, const char *signs)
{
    return parser->token.kind == TOKEN_SIGN && strchr(signs, parser->token.sign);
}

static bool unexpected(Parser *parser, const char *wanted)
{
    const Token *token = &parser->token;

    if (token->kind == TOKEN_END)
        return fail(parser->error, token->column, "%s expected, but the line ends", wanted);
    return fail(parser->error, token->column, "%s expected, not '%.*s'", wanted,
                (int)(token->length < 40 ? token->length : 40), token->start);
}

static bool expect_sign(Parser *parser, const char *sign, const char *wanted)
{
    return at_sign(parser, sign) ? advance(parser) : unexpected(parser, wanted);
}

static Node *give_up(Node *node)
{
    node_free(node);
    return NULL;
}

static Node *named(NodeKind kind, const Token *token)
{
    Node *node = node_new(kind, token->column);

    node->name = copy_string(token->start, token->length);
    return node;
}

static Node *number(Parser *parser)
{
    Node *node = node_new(NODE_NUMBER, parser->token.column);
    NumberStatus status = number_read(&node->number, parser->token.start, parser->token.length);

    if (status != NUMBER_OK) {
        fail(parser->error, node->column, "%s", number_complaint(status));
        return give_up(node);
    }
    return advance(parser) ? node : give_up(node);
}

static Node *arguments(Parser *parser, Node *call)
{
    if (!advance(parser)) /* past the "(" */
        return give_up(call);
    while (!at_sign(parser, ")")) {
        if (call->children.count && !expect_sign(parser, ",", "',' or ')'"))
            return give_up(call);
        Node *argument = sum(parser);
        if (!argument)
            return give_up(call);
        vector_push(&call->children, argument);
    }
    return advance(parser) ? call : give_up(call);
}

static Node *name_or_call(Parser *parser)
{
    Node *node = named(NODE_NAME, &parser->token);

    if (!advance(parser))
        return give_up(node);
    if (!at_sign(parser, "("))
        return node;
    node->kind = NODE_CALL;
    return arguments(parser, node);
}

static Node *atom(Parser *parser)
{
    if (parser->token.kind == TOKEN_NUMBER)
        return number(parser);
    if (parser->token.kind == TOKEN_NAME)
        return name_or_call(parser);
    if (!at_sign(parser, "(")) {
        unexpected(parser, "a number, a name or '('");
        return NULL;
    }
    if (!advance(parser))
        return NULL;
    Node *inner = sum(parser);
    if (inner && !expect_sign(parser, ")", "')'"))
        return give_up(inner);
    return inner;
}

/* left SIGN right, where SIGN is the current token and right is read by `operand`. */
static Node *binary(Parser *parser, Node *left, Node *(*operand)(Parser *))
{
    Node *node = node_new(NODE_BINARY, parser->token.column);

    node->sign = parser->token.sign;
    vector_push(&node->children, left);
    Node *right = advance(parser) ? operand(parser) : NULL;
    if (!right)
        return give_up(node);
    vector_push(&node->children, right);
    return node;
}

static Node *power(Parser *parser)
{
    Node *base = atom(parser);

    return base && at_sign(parser, "^") ? binary(parser, base, unary) : base;
}

static Node *unary(Parser *parser)
{
    Node *node = NULL;

    if (++parser->depth > DEEPEST) {
        fail(parser->error, parser->token.column, "the expression is nested too deeply");
    } else if (at_sign(parser, "-")) {
        node = node_new(NODE_NEGATE, parser->token.column);
        Node *operand = advance(parser) ? unary(parser) : NULL;
        if (operand)
            vector_push(&node->children, operand);
        else
            node = give_up(node);
    } else {
        node = power(parser);
    }
    parser->depth--;
    return node;
}

static Node *product(Parser *parser)
{
    Node *node = unary(parser);

    while (node && at_sign(parser, "*/"))
        node = binary(parser, node, unary);
    return node;
}

static Node *sum(Parser *parser)
{
    Node *node = product(parser);

    while (node && at_sign(parser, "+-"))
        node = binary(parser, node, product);
    return node;
}

static Node *assignment(Parser *parser, Node *name)
{
    Node *node = node_new(NODE_ASSIGN, name->column);

    node->name = name->name;
    name->name = NULL;
    node_free(name);

    Node *value = advance(parser) ? sum(parser) : NULL;
    if (!value)
        return give_up(node);
    vector_push(&node->children, value);
    return node;
}

Node *parse(const char *line, Error *error)
{
    Parser parser = {.error = error};

    lexer_start(&parser.lexer, line);
    if (!advance(&parser))
        return NULL;
    Node *tree = sum(&parser);
    if (tree && tree->kind == NODE_NAME && at_sign(&parser, "="))
        tree = assignment(&parser, tree);
    if (tree && parser.token.kind != TOKEN_END) {
        unexpected(&parser, "an operator or the end of the line");
        return give_up(tree);
    }
    return tree;
}
