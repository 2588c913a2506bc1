// JW_FAULT(n, right, wrong) is `right`. Only in the copy of kernel/policy, kernel/query and kernel/change that
// tests/differential compiles with JW_FAULTS is it `wrong` while fault n is on: the differential test has to notice
// every one of them.
#pragma once

#ifdef JW_FAULTS
namespace jw {
inline int fault_on = 0;  // number of the fault in force; 0 = none
}
#define JW_FAULT(n, right, wrong) (::jw::fault_on == (n) ? (wrong) : (right))
#else
#define JW_FAULT(n, right, wrong) (right)
#endif
