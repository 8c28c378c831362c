#include "mask2former/tools/cuda_emulation/race_detector.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mask2former/tools/cuda_emulation/program_image.h"

namespace mask2former {

RaceDetector& RaceDetector::Get() {
  static RaceDetector* const detector = new RaceDetector;
  return *detector;
}

void RaceDetector::StartGrid(int threads, std::vector<Region> shared) {
  ++grid_;  // Outdates every use.
  warps_.resize((threads + 31) / 32);
  shared_ = std::move(shared);
}

void RaceDetector::StartBlock(uint64_t block) {
  block_ = block;
  barrier_ = 0;
  std::memset(warps_.data(), 0, warps_.size() * sizeof(Warp));
}

void RaceDetector::BlockBarrier() { ++barrier_; }

void RaceDetector::WarpBarrier(int index, uint32_t mask) {
  Warp& warp = warps_[index];
  uint32_t joined[32] = {};
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    warp.seen[lane][lane] = ++warp.clock[lane];
    for (int i = 0; i < 32; ++i) {
      joined[i] = std::max(joined[i], warp.seen[lane][i]);
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    std::memcpy(warp.seen[lane], joined, sizeof(joined));
  }
}

bool RaceDetector::IsShared(uintptr_t address) const {
  return std::any_of(shared_.begin(), shared_.end(), [&](const Region& r) {
    return address - r.begin < r.bytes;
  });
}

bool RaceDetector::IsOrdered(const Use& earlier, int thread,
                             uintptr_t address) const {
  // Shared memory at this address was another block's.
  if (earlier.block != block_) return IsShared(address);
  if (earlier.thread == thread || earlier.barrier < barrier_) return true;
  if (earlier.thread / 32 != thread / 32) return false;
  return warps_[thread / 32].seen[thread % 32][earlier.thread % 32] >
         earlier.warp_clock;
}

RaceDetector::Cell* RaceDetector::FindCell(uintptr_t address) {
  const uintptr_t page = address / (4 * kCells);
  if (page != last_page_ || last_cells_ == nullptr) {
    Page& cells = pages_[page];
    if (cells == nullptr) cells = std::make_unique<Cell[]>(kCells);
    last_page_ = page;
    last_cells_ = cells.get();
  }
  return last_cells_ + address / 4 % kCells;
}

bool RaceDetector::Access(int thread, uintptr_t address, size_t bytes,
                          bool write, bool atomic, const void* place) {
  const uint32_t clock = warps_[thread / 32].clock[thread % 32];
  const uintptr_t end = address + bytes;
  for (uintptr_t at = address / 4 * 4; at < end; at += 4) {
    unsigned mask = 0xf;
    if (at < address) mask &= 0xf << (address - at);
    if (at + 4 > end) mask &= 0xf >> (at + 4 - end);
    Cell* const cell = FindCell(at);
    for (const bool earlier_write : {true, false}) {
      if (!earlier_write && !write) continue;
      const Use& earlier = earlier_write ? cell->write : cell->read;
      if (earlier.grid != grid_ || (earlier.mask & mask) == 0 ||
          (earlier.atomic && atomic) || IsOrdered(earlier, thread, at)) {
        continue;
      }
      race_ = Describe(earlier, earlier_write, thread, write, atomic, place);
      return false;
    }
    Use& use = write ? cell->write : cell->read;
    use.block = block_;
    use.grid = grid_;
    use.barrier = barrier_;
    use.warp_clock = clock;
    use.thread = static_cast<uint16_t>(thread);
    use.mask = static_cast<uint8_t>(mask);
    use.atomic = atomic;
    use.place = place;
  }
  return true;
}

std::string RaceDetector::Describe(const Use& earlier, bool earlier_write,
                                   int thread, bool write, bool atomic,
                                   const void* place) const {
  const auto use = [](bool writes, bool atomically, const void* where) {
    return std::string(writes ? "writes" : "reads") +
           (atomically ? " atomically" : "") + " in " +
           ProgramImage::Get().FunctionAt(where);
  };
  const std::string other_block =
      earlier.block == block_
          ? "of the same block"
          : "of block number " + std::to_string(earlier.block);
  return "race: thread number " + std::to_string(thread) + " " +
         use(write, atomic, place) + " what thread number " +
         std::to_string(earlier.thread) + " " + other_block + " " +
         use(earlier_write, earlier.atomic, earlier.place) +
         ", and nothing orders the two";
}

}  // namespace mask2former
