#include "ast.h"

#include <stdlib.h>

#include "text.h"

Node *node_new(NodeKind kind, int column)
{
    Node *node = need_memory(NULL, sizeof *node);

    *node = (Node){.kind = kind, .column = column};
    return node;
}

Node *node_child(const Node *node, size_t index)
{
    return node->children.items[index];
}

static void release(void *node)
{
    node_free(node);
}

void node_free(Node *node)
{
    if (!node)
        return;
    vector_free(&node->children, release);
    free(node->name);
    free(node);
}
