#ifndef MASK2FORMER_COMMON_TESTING_TEST_FOLDER_H_
#define MASK2FORMER_COMMON_TESTING_TEST_FOLDER_H_

#include <string>

namespace mask2former {

// A folder for the files of the running test and of no other; it exists and is
// empty, whatever an earlier run of the test left.
std::string FreshTestFolder();

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_TEST_FOLDER_H_
