#include "format/vt.h"

#include <string.h>

enum { ESC = 0x1b, BEL = 0x07, CAN = 0x18, SUB = 0x1a, DEL = 0x7f, PARAM_MAX = 0x10ffff };
enum { PASTE_BEGINS = 200, PASTE_ENDS = 201 };

bool vt_is_ground(const struct vt *vt)
{
	return vt->state == VT_GROUND;
}

static enum vt_event ends(struct vt *vt, enum vt_event event)
{
	vt->state = VT_GROUND;
	return event;
}

/* ---- characters ---------------------------------------------------------------------------------------------------- */

static uint8_t utf8_more(uint8_t byte)
{
	if (byte >= 0xf0 && byte < 0xf8)
		return 3;
	if (byte >= 0xe0 && byte < 0xf0)
		return 2;
	return byte >= 0xc0 && byte < 0xe0 ? 1 : 0;
}

static enum vt_event take_char(struct vt *vt, uint8_t byte)
{
	vt->code = byte;
	vt->left = utf8_more(byte);
	if (vt->left == 0)
		return VT_CHAR;
	vt->code = byte & (0x3fU >> vt->left);
	vt->state = VT_IN_UTF8;
	return VT_NONE;
}

static enum vt_event take_ground(struct vt *vt, uint8_t byte)
{
	if (byte != ESC)
		return take_char(vt, byte);
	vt->state = VT_IN_ESC;
	return VT_NONE;
}

static enum vt_event take_utf8(struct vt *vt, uint8_t byte)
{
	if ((byte & 0xc0) != 0x80) { /* cut off: what comes is something of its own */
		vt->state = VT_GROUND;
		return take_ground(vt, byte);
	}
	vt->code = vt->code << 6 | (byte & 0x3fU);
	return --vt->left == 0 ? ends(vt, VT_CHAR) : VT_NONE;
}

/* ---- sequences ----------------------------------------------------------------------------------------------------- */

static void begin_csi(struct vt *vt)
{
	vt->state = VT_IN_CSI;
	vt->marker = 0;
	vt->count = 1;
	memset(vt->params, 0, sizeof vt->params);
	memset(vt->sub, 0, sizeof vt->sub);
	vt->left = 0; /* which number of a parameter is being read: 0, 1 for the one behind ':', more */
}

static enum vt_event take_esc(struct vt *vt, uint8_t byte)
{
	if (byte == '[') {
		begin_csi(vt);
		return VT_NONE;
	}
	if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_') {
		vt->state = VT_IN_STRING;
		return VT_NONE;
	}
	if (byte == 'O' && vt->keys) {
		vt->state = VT_IN_SS3;
		return VT_NONE;
	}
	if (byte == ESC || (byte >= 0x20 && byte < 0x30)) /* again, or an intermediate byte */
		return VT_NONE;
	vt->final = (char)byte;
	return ends(vt, byte < 0x20 ? VT_NONE : VT_ESC);
}

static void take_digit(struct vt *vt, uint8_t digit)
{
	if (vt->count > VT_PARAMS_MAX || vt->left > 1)
		return;
	uint32_t *number = vt->left == 0 ? &vt->params[vt->count - 1] : &vt->sub[vt->count - 1];
	*number = *number < PARAM_MAX ? *number * 10 + digit : PARAM_MAX;
}

static enum vt_event end_csi(struct vt *vt, uint8_t byte)
{
	vt->final = (char)byte;
	vt->count = vt->count < VT_PARAMS_MAX ? vt->count : VT_PARAMS_MAX;
	if (byte == '~' && (vt->params[0] == PASTE_BEGINS || vt->params[0] == PASTE_ENDS))
		vt->pasted = vt->params[0] == PASTE_BEGINS;
	if (byte != 'M' || !vt->keys || vt->marker != 0)
		return ends(vt, VT_CSI);
	vt->state = VT_IN_MOUSE;
	vt->left = 3;
	return VT_NONE;
}

static enum vt_event take_csi(struct vt *vt, uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		take_digit(vt, byte - '0');
	else if (byte == ':')
		vt->left = vt->left < 2 ? vt->left + 1 : 2;
	else if (byte == ';') {
		vt->count += vt->count <= VT_PARAMS_MAX;
		vt->left = 0;
	} else if (byte >= '<' && byte <= '?')
		vt->marker = (char)byte;
	else if (byte >= 0x40 && byte < DEL)
		return end_csi(vt, byte);
	return VT_NONE; /* controls in the middle do what they do; intermediate bytes are of no interest */
}

static enum vt_event take_string(struct vt *vt, uint8_t byte)
{
	if (vt->state == VT_IN_STRING_ESC)
		return byte == '\\' ? ends(vt, VT_STRING) : take_esc(vt, byte);
	if (byte == BEL)
		return ends(vt, VT_STRING);
	if (byte == ESC)
		vt->state = VT_IN_STRING_ESC;
	return VT_NONE;
}

static enum vt_event take_mouse(struct vt *vt)
{
	return --vt->left == 0 ? ends(vt, VT_NONE) : VT_NONE;
}

enum vt_event vt_take(struct vt *vt, uint8_t byte)
{
	if (vt->state == VT_GROUND)
		return take_ground(vt, byte);
	if (vt->state == VT_IN_UTF8)
		return take_utf8(vt, byte);
	if (vt->state == VT_IN_MOUSE)
		return take_mouse(vt);
	if (byte == CAN || byte == SUB)
		return ends(vt, VT_NONE);
	if (vt->state == VT_IN_STRING || vt->state == VT_IN_STRING_ESC)
		return take_string(vt, byte);
	if (vt->state == VT_IN_ESC)
		return take_esc(vt, byte);
	if (vt->state == VT_IN_SS3)
		return ends(vt, VT_NONE);
	if (byte == ESC) { /* cut off */
		vt->state = VT_IN_ESC;
		return VT_NONE;
	}
	return take_csi(vt, byte);
}

/* ---- keys ---------------------------------------------------------------------------------------------------------- */

/* modifiers: one more than the sum of Shift 1, Alt 2, Ctrl 4, Super 8, ...; 0: not written. Locks (64, 128) count for nothing. */
static uint32_t with_modifiers(uint32_t code, uint32_t modifiers)
{
	uint32_t held = modifiers > 0 ? (modifiers - 1) & 63 : 0;
	if ((held & ~1U) != 0)
		return 0;
	return held != 0 && code >= 'a' && code <= 'z' ? code - 'a' + 'A' : code;
}

uint32_t vt_key(const struct vt *vt, enum vt_event event)
{
	enum { RELEASED = 3, OTHER_KEYS = 27 };
	if (event == VT_CHAR)
		return vt->pasted ? 0 : vt->code;
	if (event != VT_CSI || vt->marker != 0 || vt->pasted)
		return 0;
	if (vt->final == 'u')
		return vt->count > 1 && vt->sub[1] == RELEASED ? 0 : with_modifiers(vt->params[0], vt->params[1]);
	if (vt->final == '~' && vt->count == 3 && vt->params[0] == OTHER_KEYS)
		return with_modifiers(vt->params[2], vt->params[1]);
	return 0;
}
