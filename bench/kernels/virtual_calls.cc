// Virtual calls on objects of several classes in random order.
#include <memory>
#include <vector>

#include "measure.h"

namespace {

class Shape {
  public:
    virtual ~Shape() = default;
    virtual uint64_t area(uint64_t unit) const = 0;
};

class Square final : public Shape {
  public:
    explicit Square(uint64_t side) : side_(side) {}
    uint64_t area(uint64_t unit) const override { return side_ * side_ * unit; }

  private:
    uint64_t side_;
};

class Rectangle final : public Shape {
  public:
    Rectangle(uint64_t width, uint64_t height) : width_(width), height_(height) {}
    uint64_t area(uint64_t unit) const override { return width_ * height_ + unit; }

  private:
    uint64_t width_;
    uint64_t height_;
};

class Triangle final : public Shape {
  public:
    Triangle(uint64_t base, uint64_t height) : base_(base), height_(height) {}
    uint64_t area(uint64_t unit) const override { return (base_ * height_ ^ unit) >> 1; }

  private:
    uint64_t base_;
    uint64_t height_;
};

std::vector<std::unique_ptr<Shape>> shapes;
size_t repetitions;

}  // namespace

uint64_t prepare(double scale) {
    repetitions = scaled(20000, scale);
    uint64_t state = 23;
    for (int i = 0; i < 1000; ++i) {
        const uint64_t random = next_random(&state);
        const uint64_t a = random % 1000;
        const uint64_t b = (random >> 20) % 1000;
        switch ((random >> 40) % 3) {
            case 0:
                shapes.push_back(std::make_unique<Square>(a));
                break;
            case 1:
                shapes.push_back(std::make_unique<Rectangle>(a, b));
                break;
            default:
                shapes.push_back(std::make_unique<Triangle>(a, b));
        }
    }
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i)
        for (const auto& shape : shapes)
            sum += shape->area(i);
    return sum;
}
