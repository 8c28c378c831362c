#include "mask2former/train/banner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

BannerInfo Info() {
  BannerInfo info;
  info.backbone = "resnet 50";
  info.device = "cpu";
  info.precision = "float32";
  info.num_threads = 2;
  info.train_images = 2975;
  info.val_images = 500;
  info.global_batch_size = 16;
  info.max_iter = 90000;
  info.data_root = "/data/cityscapes";
  info.output_dir = "/runs/a";
  return info;
}

struct Model : torch::nn::Module {
  Model() {
    register_module("backbone", std::make_shared<torch::nn::LinearImpl>(
                                    999, 1234));  // 1,234,000 parameters
  }
};

TEST(BannerTest, SaysWhatWillHappen) {
  EXPECT_THAT(
      Banner(Info(), Model()),
      AllOf(HasSubstr("resnet 50, 1,234,000 parameters (1,234,000 backbone, 0"),
            HasSubstr("cpu, 2 threads, float32"),
            HasSubstr("16 = 1 process x 16 at once x 1 part\n"),
            HasSubstr("/data/cityscapes: 2975 images to train, 500 to"),
            // 90000 * 16 / 2975
            HasSubstr("90000 iterations = 484.0 passes"), HasSubstr("/runs/a"),
            Not(HasSubstr("warning"))));
}

TEST(BannerTest, CountsPartsAndWarnsOfSmallOnes) {
  BannerInfo info = Info();
  info.micro_batch_size = 3;
  info.trains_batch_norm = true;
  EXPECT_THAT(Banner(info, Model()),
              AllOf(HasSubstr("x 3 at once x 6 parts, gradients added"),
                    HasSubstr("warning: batch norm sees 3 image(s)")));
  info.micro_batch_size = 4;
  EXPECT_THAT(Banner(info, Model()), Not(HasSubstr("warning")));
  info.micro_batch_size = 3;
  info.trains_batch_norm = false;
  EXPECT_THAT(Banner(info, Model()), Not(HasSubstr("warning")));
}

}  // namespace
}  // namespace mask2former
