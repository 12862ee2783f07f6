// A list in which a name runs over into the pointer behind it, long before that pointer is used.
// The line that does it is the one that debug_test looks for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    char name[16];
    struct node* next;
    int value;
};

static volatile unsigned long work;

static struct node* make_node(const char* name, int value, struct node* next) {
    struct node* node = malloc(sizeof *node);
    strncpy(node->name, name, sizeof node->name - 1);
    node->name[sizeof node->name - 1] = '\0';
    node->value = value;
    node->next = next;
    return node;
}

static void do_work(unsigned long count) {
    for (unsigned long i = 0; i < count; ++i)
        work += i;
}

static void rename_node(char* name, int size) {
    for (int i = 0; i < size; ++i)
        name[i] = 'A';  // the culprit
}

static int sum_of(const struct node* node) {
    int sum = 0;
    for (; node != NULL; node = node->next)
        sum += node->value;
    return sum;
}

int main(void) {
    struct node* list = make_node("one", 1, make_node("two", 2, make_node("three", 3, NULL)));
    do_work(1000000);
    rename_node(list->next->name, 20);
    do_work(30000000);
    printf("%d\n", sum_of(list));
    return 0;
}
