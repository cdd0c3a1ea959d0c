// Package storetest tests implementations of [engine.Store], and helps to test what uses one.
//
// [Run] is the conformance kit: a Store is one when it passes. [Memory] is a Store in memory, [Faults] one that fails where a
// test wants it to.
package storetest
