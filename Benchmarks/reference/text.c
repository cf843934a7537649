// A growable byte buffer, and the exit on fatal errors.
#include "reference.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *what, const char *why) {
    fprintf(stderr, "reference: %s: %s\n", what, why);
    exit(1);
}

void reserve(struct text *text, size_t count) {
    if (text->capacity - text->count >= count) return;
    text->capacity = (text->count + count) * 2;
    text->bytes = realloc(text->bytes, text->capacity);
    if (!text->bytes) fail("realloc", "out of memory");
}

void append(struct text *text, const char *bytes, size_t count) {
    reserve(text, count);
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
}

void append_string(struct text *text, const char *string) { append(text, string, strlen(string)); }

void append_number(struct text *text, int64_t number) {
    char digits[20], *first = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do *--first = '0' + rest % 10; while (rest /= 10);
    if (number < 0) append(text, "-", 1);
    append(text, first, digits + sizeof digits - first);
}
