#include "egress/proxy_login.h"

#include "base/secret.h"

static bool is_token(const char *token, struct span bytes)
{
	struct str wanted = str_from(token);
	if (wanted.len != bytes.len)
		return false;
	volatile uint8_t different = 0;
	for (size_t i = 0; i < bytes.len; i++)
		different |= (uint8_t)wanted.ptr[i] ^ bytes.ptr[i];
	return different == 0;
}

bool proxy_login_fits(const char *token, struct span user, struct span password)
{
	return is_token(token, password) || (password.len == 0 && is_token(token, user));
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 4. False: it is none, or too long. */
static bool decode(struct str text, uint8_t ret_bytes[static PROXY_LOGIN_MAX], size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t len = 0;
	for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int value = sextet(text.ptr[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count < 8)
			continue;
		if (len == PROXY_LOGIN_MAX)
			return false;
		count -= 8;
		ret_bytes[len++] = (uint8_t)(bits >> count);
	}
	*ret_len = len;
	return true;
}

static bool fits_basic(const char *token, struct str coded)
{
	uint8_t bytes[PROXY_LOGIN_MAX];
	size_t len = 0, colon = 0;
	bool fits = false;
	if (!decode(coded, bytes, &len))
		return false;
	while (colon < len && bytes[colon] != ':')
		colon++;
	if (colon < len)
		fits = proxy_login_fits(token, (struct span){bytes, colon},
					(struct span){bytes + colon + 1, len - colon - 1});
	secret_wipe(bytes, sizeof(bytes));
	return fits;
}

/* The scheme in front of one space or more (RFC 9110 11.4). */
static bool take_scheme(struct str *value, struct str scheme)
{
	if (value->len <= scheme.len || value->ptr[scheme.len] != ' ' ||
	    !str_eq_nocase((struct str){value->ptr, scheme.len}, scheme))
		return false;
	*value = str_skip(*value, scheme.len);
	while (value->len > 0 && value->ptr[0] == ' ')
		*value = str_skip(*value, 1);
	return true;
}

bool proxy_login_shown(const char *token, const struct http1_head *head)
{
	const struct http1_field *field = http1_find_field(head, STR("Proxy-Authorization"));
	if (field == NULL)
		return false;
	struct str value = field->value;
	if (take_scheme(&value, STR("Basic")))
		return fits_basic(token, value);
	return take_scheme(&value, STR("Bearer")) &&
	       is_token(token, (struct span){(const uint8_t *)value.ptr, value.len});
}
