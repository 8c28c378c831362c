#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_RACE_DETECTOR_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_RACE_DETECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mask2former {

// Finds memory that two threads of a grid use without order between them, one
// of them writing and not both atomically: on a GPU such an update is lost or
// such a value stale, in whatever order the emulation ran them.
//
// Order comes from __syncthreads() within a block, from __syncwarp() within a
// warp (other warp functions order no memory), and from nothing between blocks.
//
// gcc calls Access() for the loads and stores of kernels that are compiled with
// -fsanitize=thread, through race_callbacks.cc; ThreadSanitizer itself is not
// linked. Per 4 bytes of memory the latest read and the latest write are kept,
// so a race hidden behind a later access of a third thread may be missed; what
// is reported is one.
class RaceDetector {
 public:
  static RaceDetector& Get();

  // A grid of blocks of `threads` threads begins. Memory in `shared` is each
  // block's own.
  struct Region {
    uintptr_t begin;
    size_t bytes;
  };
  void StartGrid(int threads, std::vector<Region> shared);
  void StartBlock(uint64_t block);
  void BlockBarrier();
  void WarpBarrier(int warp, uint32_t mask);

  // `thread` of the current block uses memory; `place` is the address of the
  // code. False if that is a race, which race() then describes.
  bool Access(int thread, uintptr_t address, size_t bytes, bool write,
              bool atomic, const void* place);
  const std::string& race() const { return race_; }

 private:
  struct Use {
    uint64_t block;
    uint32_t grid = 0;  // 0: none.
    uint32_t barrier;   // How many the block had passed.
    uint32_t warp_clock;
    uint16_t thread;
    uint8_t mask;  // Of the 4 bytes.
    bool atomic;
    const void* place;
  };

  struct Cell {
    Use read, write;
  };

  static constexpr size_t kCells = 1024;
  using Page = std::unique_ptr<Cell[]>;

  struct Warp {
    uint32_t clock[32];     // Of each lane: how many __syncwarp() it passed.
    uint32_t seen[32][32];  // seen[a][b]: what a knows of b's clock.
  };

  bool IsOrdered(const Use& earlier, int thread, uintptr_t address) const;
  bool IsShared(uintptr_t address) const;
  Cell* FindCell(uintptr_t address);
  std::string Describe(const Use& earlier, bool earlier_write, int thread,
                       bool write, bool atomic, const void* place) const;

  uint32_t grid_ = 0;
  uint64_t block_ = 0;
  uint32_t barrier_ = 0;
  std::vector<Warp> warps_;
  std::vector<Region> shared_;
  std::unordered_map<uintptr_t, Page> pages_;
  uintptr_t last_page_ = 0;
  Cell* last_cells_ = nullptr;
  std::string race_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_RACE_DETECTOR_H_
