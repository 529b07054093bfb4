/*
 * Control sequences of terminals (ECMA-48, xterm), as far as one must know them to tell where one ends: in what a program
 * writes, so that nothing is put into the middle of one; in what a keyboard sends, so that a terminal's reply is not taken
 * for keys. One byte at a time; nothing is drawn here. Pure, no heap.
 */
#ifndef BERM_FORMAT_VT_H
#define BERM_FORMAT_VT_H

#include "base/str.h"

enum { VT_PARAMS_MAX = 8 };

enum vt_event {
	VT_NONE = 0, /* in the middle of something, or nothing of interest */
	VT_CHAR,     /* code: a character, or a control of one byte */
	VT_ESC,	     /* ESC and final: two bytes, or more with intermediate ones */
	VT_CSI,	     /* CSI marker params final */
	VT_STRING,   /* OSC, DCS, APC, PM or SOS: the end of it */
};

enum vt_state {
	VT_GROUND = 0,
	VT_IN_UTF8,
	VT_IN_ESC,
	VT_IN_CSI,
	VT_IN_STRING,
	VT_IN_STRING_ESC, /* an ESC in a string: its end, if '\' follows */
	VT_IN_MOUSE,	  /* the three bytes behind "CSI M" */
	VT_IN_SS3,
};

/* Zero is the start. */
struct vt {
	bool pasted; /* between "CSI 200 ~" and "CSI 201 ~": what a keyboard did not type */
	bool keys;   /* what comes from a keyboard: there "CSI M" has three bytes behind it, and "ESC O" one */
	enum vt_state state;
	uint8_t left; /* bytes that a character or a mouse report still has */
	uint32_t code;
	char marker; /* '?', '>', '<', '=' in front of the parameters, or 0 */
	char final;
	size_t count;			/* of params: at least 1 behind a CSI */
	uint32_t params[VT_PARAMS_MAX]; /* 0 where none is written */
	uint32_t sub[VT_PARAMS_MAX];	/* the first one behind a ':' in that parameter */
};

enum vt_event vt_take(struct vt *vt, uint8_t byte);
/* Between two of them. */
bool vt_is_ground(const struct vt *vt);

/* The key that an event of a keyboard is: a code point for a plain character, also in the forms of kitty ("CSI 111 u") and
 * xterm ("CSI 27 ; 2 ; 78 ~"); 0: none, or one with Ctrl, Alt or Super, the release of one, or what is pasted. */
uint32_t vt_key(const struct vt *vt, enum vt_event event);

#endif
