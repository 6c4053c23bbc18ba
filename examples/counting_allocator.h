#ifndef EXAMPLES_COUNTING_ALLOCATOR_H_
#define EXAMPLES_COUNTING_ALLOCATOR_H_

long Allocations();  // since the program began, on all threads

#endif  // EXAMPLES_COUNTING_ALLOCATOR_H_
