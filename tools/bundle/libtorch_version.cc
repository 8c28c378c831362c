// Prints the version of LibTorch that programs here are compiled with.

#include <torch/version.h>

#include <iostream>

int main() { std::cout << TORCH_VERSION << std::endl; }
