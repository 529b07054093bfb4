/* Target: vt_take, vt_key. Whatever the bytes of a keyboard or a program are, a key is told only at the end of a sequence, and
 * there is a way back to the ground. */
#include <stdlib.h>

#include "format/vt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vt vt = {.keys = size > 0 && (data[0] & 1) != 0};
	for (size_t i = 1; i < size; i++) {
		uint32_t key = vt_key(&vt, vt_take(&vt, data[i]));
		if (vt.count > VT_PARAMS_MAX + 1 || (key != 0 && !vt_is_ground(&vt)))
			abort();
	}
	for (int i = 0; i < 4; i++) /* three bytes of a mouse at most, then a cancel */
		(void)vt_take(&vt, 0x18);
	if (!vt_is_ground(&vt))
		abort();
	return 0;
}
