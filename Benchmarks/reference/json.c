// A JSON writer with the API's format (printable ASCII as it is, everything else escaped), and a JSON reader that is
// just sufficient for a new campaign.
#include "reference.h"
#include <stdlib.h>
#include <string.h>

// --- Writing strings

static bool is_plain(unsigned char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

// Sets the high bit of each byte that is zero in `word`; bits above the lowest such byte may be wrong.
static uint64_t zero_bytes(uint64_t word) { return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u; }

// Whether all eight bytes are plain. Exact, because a carry or borrow between bytes occurs only if one of them is not
// plain.
static bool is_plain_word(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u, highs = ones * 0x80;
    uint64_t control = (word - ones * 0x20) & ~word, beyond = word | (word + ones);
    return !(((control | beyond) & highs) | zero_bytes(word ^ ones * '"') | zero_bytes(word ^ ones * '\\'));
}

static size_t count_plain(const char *bytes, size_t count) {
    size_t offset = 0;
    for (uint64_t word; offset + 8 <= count; offset += 8) {
        memcpy(&word, bytes + offset, 8);
        if (!is_plain_word(word)) break;
    }
    while (offset < count && is_plain(bytes[offset])) offset++;
    return offset;
}

static void append_unit(struct text *text, unsigned unit) {
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', digits[unit >> 12], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};
    append(text, escape, 6);
}

static void append_escape(struct text *text, unsigned scalar) {
    static const char letters[128] = {['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (scalar < 128 && letters[scalar]) {
        append(text, (char[]){'\\', letters[scalar]}, 2);
    } else if (scalar < 0x10000) {
        append_unit(text, scalar);
    } else {
        append_unit(text, 0xd800 + ((scalar - 0x10000) >> 10));
        append_unit(text, 0xdc00 + (scalar & 0x3ff));
    }
}

// Decodes the Unicode scalar at `bytes`, which Postgres has validated as UTF-8, and returns its length in `count`.
static unsigned read_scalar(const unsigned char *bytes, size_t *count) {
    unsigned first = bytes[0];
    *count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned scalar = *count == 1 ? first : first & (0x7f >> *count);
    for (size_t offset = 1; offset < *count; offset++) scalar = scalar << 6 | (bytes[offset] & 0x3f);
    return scalar;
}

void append_json_text(struct text *text, const char *bytes, size_t count) {
    reserve(text, count + 2);
    append(text, "\"", 1);
    while (count) {
        size_t taken = count_plain(bytes, count);
        append(text, bytes, taken);
        bytes += taken;
        count -= taken;
        if (!count) break;
        append_escape(text, read_scalar((const unsigned char *)bytes, &taken));
        bytes += taken;
        count -= taken;
    }
    append(text, "\"", 1);
}

// --- Writing dates

static char *put_two(char *digits, unsigned number) {
    digits[0] = '0' + number / 10;
    digits[1] = '0' + number % 10;
    return digits + 2;
}

// Converts days since 1970 to a date of the Gregorian calendar, with years that begin in March so that the leap day is
// the last day.
static void calendar(int64_t days_since_1970, int *year, unsigned *month, unsigned *day) {
    int64_t days = days_since_1970 + 719468, era = days / 146097;
    unsigned in_era = days % 146097;
    unsigned in_years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * in_years + in_years / 4 - in_years / 100), march = (5 * in_year + 2) / 153;
    *day = in_year - (153 * march + 2) / 5 + 1;
    *month = march < 10 ? march + 3 : march - 9;
    *year = era * 400 + in_years + (*month <= 2);
}

// Appends an HTTP date. `microseconds` are counted from 2000, as in Postgres; earlier dates and years after 9999 are
// not supported.
void append_json_date(struct text *text, int64_t microseconds) {
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t seconds = microseconds / 1000000 + 946684800;
    unsigned in_day = seconds % 86400, month, day;
    int year;
    calendar(seconds / 86400, &year, &month, &day);
    reserve(text, 31);
    char *date = text->bytes + text->count;
    memcpy(date, "\"Thu, 01 Jan 1970 00:00:00 GMT\"", 31);
    memcpy(date + 1, days + seconds / 86400 % 7 * 3, 3);
    put_two(date + 6, day);
    memcpy(date + 9, months + (month - 1) * 3, 3);
    put_two(put_two(date + 13, year / 100), year % 100);
    put_two(date + 18, in_day / 3600);
    put_two(date + 21, in_day / 60 % 60);
    put_two(date + 24, in_day % 60);
    text->count += 31;
}

// --- Reading

// Copies a string up to its closing quote. Of the escapes, only those with one letter are supported.
static void copy_string(const char *next, const char *end, struct text *values) {
    static const char meanings[128] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    for (; next < end && *next != '"'; next++) {
        char byte = *next;
        if (byte == '\\' && ++next < end) byte = *next > 0 && meanings[(int)*next] ? meanings[(int)*next] : *next;
        append(values, &byte, 1);
    }
}

// Returns the value of a member of a flat object in Postgres's text format, appended to `values` with a terminating
// zero; NULL if the member is missing.
const char *json_member(struct slice object, const char *name, struct text *values) {
    char key[32] = "\"";
    strcat(strcat(key, name), "\"");
    const char *next = memmem(object.start, object.count, key, strlen(key)), *end = object.start + object.count;
    if (!next) return NULL;
    next += strlen(key);
    while (next < end && (*next == ' ' || *next == ':')) next++;
    size_t start = values->count;
    if (*next == '"') copy_string(next + 1, end, values);
    else append_string(values, *next == 't' ? "true" : "false");
    append(values, "", 1);
    return values->bytes + start;
}
