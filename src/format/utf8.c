#include "format/utf8.h"

/* RFC 3629, section 4: the first byte says how many follow, and narrows the second. */
static const struct form {
	uint8_t first_min, first_max, second_min, second_max, len;
} forms[] = {
	{0x00, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool follows(const struct form *form, struct str text)
{
	if (text.len < form->len)
		return false;
	for (size_t i = 1; i < form->len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if (byte < (i == 1 ? form->second_min : 0x80) || byte > (i == 1 ? form->second_max : 0xbf))
			return false;
	}
	return true;
}

size_t utf8_length(struct str text)
{
	if (text.len == 0)
		return 0;
	uint8_t first = (uint8_t)text.ptr[0];
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (first >= forms[i].first_min && first <= forms[i].first_max)
			return follows(&forms[i], text) ? forms[i].len : 0;
	return 0;
}

bool utf8_is_control(struct str text, size_t len)
{
	uint8_t first = (uint8_t)text.ptr[0];
	if (len == 1)
		return first < 0x20 || first == 0x7f;
	return len == 2 && first == 0xc2 && (uint8_t)text.ptr[1] < 0xa0;
}

char *utf8_put(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}
