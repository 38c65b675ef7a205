#ifndef AST_H
#define AST_H

#include "number.h"
#include "vector.h"

typedef enum { NODE_NUMBER, NODE_NAME, NODE_NEGATE, NODE_BINARY, NODE_CALL, NODE_ASSIGN } NodeKind;

/* One node of the tree. What hangs below it is in `children`. */
typedef struct Node {
    NodeKind kind;
    int column;
    Number number;   /* NODE_NUMBER */
    char sign;       /* NODE_BINARY */
    char *name;      /* NODE_NAME, NODE_CALL, NODE_ASSIGN */
    Vector children; /* of Node * */
} Node;

Node *node_new(NodeKind kind, int column);
Node *node_child(const Node *node, size_t index);
void node_free(Node *node);

#endif
