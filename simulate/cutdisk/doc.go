// Package cutdisk is a disk that loses what was not flushed when its power is cut, as a card or an SSD with a cache of its own
// does. It is served over NBD, for QEMU or the kernel; what is flushed lies in the file behind it.
//
// Killing a virtual machine shows less: the host keeps every write the virtual disk took, so that a program which never
// syncs passes too.
package cutdisk
