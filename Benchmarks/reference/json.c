// JSON as the API writes it: printable ASCII as it is, all else as escapes; and as much reading as a new campaign needs.
#include "reference.h"
#include <stdlib.h>
#include <string.h>

// --- Writing texts

static bool is_plain(unsigned char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

// The high bit of a byte is set where that byte of `word` is zero; above the lowest such byte others may be set, too.
static uint64_t zero_bytes(uint64_t word) { return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u; }

// Whether all eight bytes are plain. It may deny that of a word with a byte just above one that is not.
static bool is_plain_word(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u, highs = ones * 0x80;
    uint64_t control = (word - ones * 0x20) & ~word, beyond = word | (word + ones);
    return !(((control | beyond) & highs) | zero_bytes(word ^ ones * '"') | zero_bytes(word ^ ones * '\\'));
}

static size_t count_plain(const char *bytes, size_t count) {
    size_t place = 0;
    for (uint64_t word; place + 8 <= count; place += 8) {
        memcpy(&word, bytes + place, 8);
        if (!is_plain_word(word)) break;
    }
    while (place < count && is_plain(bytes[place])) place++;
    return place;
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

// The scalar at `bytes`, which Postgres has checked to be UTF-8, and how many bytes it has.
static unsigned read_scalar(const unsigned char *bytes, size_t *count) {
    unsigned first = bytes[0];
    *count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned scalar = *count == 1 ? first : first & (0x7f >> *count);
    for (size_t place = 1; place < *count; place++) scalar = scalar << 6 | (bytes[place] & 0x3f);
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

static char *put_two(char *place, unsigned number) {
    place[0] = '0' + number / 10;
    place[1] = '0' + number % 10;
    return place + 2;
}

// The day of the Gregorian calendar, by years that begin in March, so that the leap day is their last.
static void calendar(int64_t days_since_1970, int *year, unsigned *month, unsigned *day) {
    int64_t days = days_since_1970 + 719468, era = days / 146097;
    unsigned in_era = days % 146097;
    unsigned in_years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * in_years + in_years / 4 - in_years / 100), march = (5 * in_year + 2) / 153;
    *day = in_year - (153 * march + 2) / 5 + 1;
    *month = march < 10 ? march + 3 : march - 9;
    *year = era * 400 + in_years + (*month <= 2);
}

// `microseconds` are counted from 2000 on, as Postgres does: earlier ones, and years after 9999, are not for here.
void append_json_date(struct text *text, int64_t microseconds) {
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t seconds = microseconds / 1000000 + 946684800;
    unsigned in_day = seconds % 86400, month, day;
    int year;
    calendar(seconds / 86400, &year, &month, &day);
    reserve(text, 31);
    char *place = text->bytes + text->count;
    memcpy(place, "\"Thu, 01 Jan 1970 00:00:00 GMT\"", 31);
    memcpy(place + 1, days + seconds / 86400 % 7 * 3, 3);
    put_two(place + 6, day);
    memcpy(place + 9, months + (month - 1) * 3, 3);
    put_two(put_two(place + 13, year / 100), year % 100);
    put_two(place + 18, in_day / 3600);
    put_two(place + 21, in_day / 60 % 60);
    put_two(place + 24, in_day % 60);
    text->count += 31;
}

// --- Reading

// Copies a string to its closing quote; of escapes it knows those with one letter.
static void copy_string(const char *next, const char *end, struct text *held) {
    static const char meanings[128] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    for (; next < end && *next != '"'; next++) {
        char byte = *next;
        if (byte == '\\' && ++next < end) byte = *next > 0 && meanings[(int)*next] ? meanings[(int)*next] : *next;
        append(held, &byte, 1);
    }
}

// The value of a member of a flat object, as Postgres takes it, in `held` with a zero behind it; NULL when there is none.
const char *json_member(struct slice object, const char *name, struct text *held) {
    char key[32] = "\"";
    strcat(strcat(key, name), "\"");
    const char *next = memmem(object.start, object.count, key, strlen(key)), *end = object.start + object.count;
    if (!next) return NULL;
    next += strlen(key);
    while (next < end && (*next == ' ' || *next == ':')) next++;
    size_t start = held->count;
    if (*next == '"') copy_string(next + 1, end, held);
    else append_word(held, *next == 't' ? "true" : "false");
    append(held, "", 1);
    return held->bytes + start;
}
