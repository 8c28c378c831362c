#include "mask2former/tools/cuda_emulation/block.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>

#include "mask2former/tools/cuda_emulation/race_detector.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
const int warpSize = 32;

namespace mask2former {
namespace {

BlockEmulator* current_block = nullptr;
bool inside_atomic = false;

std::string ToString(const uint3& index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}

std::string ToString(const CallPlace& place) {
  return std::string(place.file) + ":" + std::to_string(place.line) + " in " +
         place.function;
}

std::string Hexadecimal(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof(text), "0x%08x", mask);
  return text;
}

}  // namespace

BlockEmulator::BlockEmulator(dim3 size, void (*body)(void*), void* argument)
    : size_(size), body_(body), argument_(argument) {
  for (unsigned z = 0; z < size.z; ++z) {
    for (unsigned y = 0; y < size.y; ++y) {
      for (unsigned x = 0; x < size.x; ++x) {
        threads_.push_back(std::make_unique<Thread>());
        threads_.back()->index = {x, y, z};
      }
    }
  }
  warps_.resize((threads_.size() + 31) / 32);
}

std::string BlockEmulator::Run(std::mt19937_64& random) {
  error_.clear();
  at_barrier_ = true_at_barrier_ = 0;
  for (const auto& thread : threads_) {
    thread->state = State::kReady;
    thread->fibre.Start(body_, argument_);
  }
  for (Warp& warp : warps_) warp.waiting = 0;
  std::vector<int> order(warps_.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  int lanes[32];
  std::iota(lanes, lanes + 32, 0);
  std::shuffle(lanes, lanes + 32, random);

  inside_atomic = false;
  const uint64_t number =
      (uint64_t{blockIdx.z} * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  RaceDetector::Get().StartBlock(number);
  current_block = this;
  bool any = true;
  while (any && error_.empty()) {
    any = false;
    for (const int warp : order) any = RunWarp(warp, lanes) || any;
  }
  current_block = nullptr;
  if (error_.empty() &&
      std::any_of(threads_.begin(), threads_.end(), [](const auto& thread) {
        return thread->state != State::kReturned;
      })) {
    error_ = DescribeDeadlock();
  }
  return error_;
}

bool BlockEmulator::RunWarp(int warp, const int* lanes) {
  const int count =
      std::min<int>(32, static_cast<int>(threads_.size()) - 32 * warp);
  bool any = false;
  for (bool again = true; again;) {
    again = false;
    for (int i = 0; i < 32; ++i) {
      if (lanes[i] >= count) continue;
      current_ = 32 * warp + lanes[i];
      Thread& thread = *threads_[current_];
      if (thread.state != State::kReady) continue;
      again = any = true;
      threadIdx = thread.index;
      if (!thread.fibre.Resume()) thread.state = State::kReturned;
      if (!error_.empty()) return any;
    }
  }
  return any;
}

uint32_t BlockEmulator::Lanes(int warp) const {
  const size_t count = threads_.size() - 32 * static_cast<size_t>(warp);
  return count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
}

void BlockEmulator::Abandon() {
  Fibre::Suspend();
  std::abort();  // Run() does not go on after an error.
}

uint64_t BlockEmulator::EnterWarpFunction(const char* name, uint32_t mask,
                                          LaneInput input, WarpCombine combine,
                                          CallPlace place) {
  Thread& thread = *threads_[current_];
  const int index = current_ / 32;
  const int lane = current_ % 32;
  Warp& warp = warps_[index];
  if ((mask >> lane & 1) == 0) {
    error_ = "thread " + ToString(thread.index) + " calls " + name + " at " +
             ToString(place) + " with mask " + Hexadecimal(mask) +
             ", which lacks its own lane " + std::to_string(lane);
    Abandon();
  }
  if ((mask & ~Lanes(index)) != 0) {
    error_ = "thread " + ToString(thread.index) + " calls " + name + " at " +
             ToString(place) + " with mask " + Hexadecimal(mask) +
             ", but its warp has only the lanes " + Hexadecimal(Lanes(index));
    Abandon();
  }
  thread.name = name;
  thread.place = place;
  thread.mask = mask;
  thread.combine = combine;
  warp.inputs[lane] = input;

  bool complete = ((warp.waiting | uint32_t{1} << lane) & mask) == mask;
  for (int other = 0; complete && other < 32; ++other) {
    if ((mask >> other & 1) == 0) continue;
    const Thread& t = *threads_[32 * index + other];
    complete = t.mask == mask && t.combine == combine;
  }
  if (!complete) {
    thread.state = State::kAtWarpFunction;
    warp.waiting |= uint32_t{1} << lane;
    Fibre::Suspend();
    return thread.result;
  }
  for (int other = 0; other < 32; ++other) {
    if ((mask >> other & 1) == 0) continue;
    Thread& t = *threads_[32 * index + other];
    t.result = combine(other, mask, warp.inputs);
    t.state = State::kReady;
  }
  warp.waiting &= ~mask;
  // The others exchange values but order no memory.
  if (std::strcmp(name, "__syncwarp") == 0) {
    RaceDetector::Get().WarpBarrier(index, mask);
  }
  return thread.result;
}

int BlockEmulator::EnterBarrier(const char* name, bool predicate,
                                CallPlace place) {
  Thread& thread = *threads_[current_];
  if (at_barrier_ > 0) {
    for (const auto& other : threads_) {
      if (other->state != State::kAtBarrier) continue;
      if (other->place.line == place.line &&
          std::strcmp(other->place.file, place.file) == 0 &&
          std::strcmp(other->name, name) == 0) {
        break;
      }
      error_ = "thread " + ToString(thread.index) + " waits in " + name +
               " at " + ToString(place) + " while thread " +
               ToString(other->index) + " waits in " + other->name + " at " +
               ToString(other->place);
      Abandon();
    }
  }
  thread.name = name;
  thread.place = place;
  ++at_barrier_;
  true_at_barrier_ += predicate;
  if (at_barrier_ < static_cast<int>(threads_.size())) {
    thread.state = State::kAtBarrier;
    Fibre::Suspend();
    return barrier_result_;
  }
  RaceDetector::Get().BlockBarrier();
  barrier_result_ = true_at_barrier_;
  at_barrier_ = true_at_barrier_ = 0;
  for (const auto& other : threads_) other->state = State::kReady;
  return barrier_result_;
}

std::string BlockEmulator::DescribeDeadlock() const {
  // What threads do -> the first of them, and how many.
  std::map<std::string, std::pair<std::string, int>> groups;
  for (const auto& thread : threads_) {
    std::string text = "returned from the kernel";
    if (thread->state != State::kReturned) {
      text = std::string("waits in ") + thread->name + " at " +
             ToString(thread->place);
    }
    if (thread->state == State::kAtWarpFunction) {
      text += " for the lanes " + Hexadecimal(thread->mask);
    }
    auto& group = groups[text];
    if (group.second++ == 0) group.first = ToString(thread->index);
  }
  std::string result = "threads wait for others that never come:";
  for (const auto& [text, group] : groups) {
    result += "\n  thread " + group.first;
    if (group.second > 1) {
      result += " and " + std::to_string(group.second - 1) + " more";
    }
    result += ": " + text;
  }
  return result;
}

bool InsideKernel() { return current_block != nullptr; }

void UseMemory(const void* address, size_t bytes, bool write,
               const void* place) {
  BlockEmulator* const block = current_block;
  if (block == nullptr) return;
  const int thread = block->current_;
  if (block->threads_[thread]->fibre.Owns(address) ||
      RaceDetector::Get().Access(thread, reinterpret_cast<uintptr_t>(address),
                                 bytes, write, inside_atomic, place)) {
    return;
  }
  block->error_ = RaceDetector::Get().race();
  block->Abandon();
}

void BeginAtomic() { inside_atomic = true; }

void EndAtomic() { inside_atomic = false; }

uint64_t WarpCollective(const char* name, uint32_t mask, LaneInput input,
                        WarpCombine combine, CallPlace place) {
  return current_block->EnterWarpFunction(name, mask, input, combine, place);
}

int BlockBarrier(const char* name, bool predicate, CallPlace place) {
  return current_block->EnterBarrier(name, predicate, place);
}

}  // namespace mask2former
