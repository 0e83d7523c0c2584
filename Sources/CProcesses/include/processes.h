#pragma once

// Makes orphaned descendants of this process its own children, where the system can: Linux.
// Swift imports no function with a variable number of arguments, as prctl is one.
void parity_adopt_orphans(void);
