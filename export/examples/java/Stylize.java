// A photo in the style of another picture, by ONNX Runtime for Java 17.
//
// java -cp onnxruntime.jar Stylize.java adain-fast.onnx photo.jpg style.jpg 0.8 out.png

import ai.onnxruntime.*;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.io.*;
import java.nio.ByteBuffer;
import java.util.Map;
import javax.imageio.ImageIO;

public class Stylize {
  static final int STYLE_SIDE = 512; // styles are learned at about this size

  /** The picture in sRGB. ImageIO knows nothing of EXIF: photos on their side stay so. */
  static BufferedImage read(String path, int maxSide) throws IOException {
    BufferedImage found = new File(path).isFile() ? ImageIO.read(new File(path)) : null;
    if (found == null) throw new IOException(path + ": no picture that Java reads");
    Image image = found;
    if (Math.max(found.getWidth(), found.getHeight()) > maxSide) {
      boolean wide = found.getWidth() > found.getHeight(); // -1: as the other side asks
      image =
          found.getScaledInstance(
              wide ? maxSide : -1, wide ? -1 : maxSide, Image.SCALE_AREA_AVERAGING);
    }
    int width = image.getWidth(null), height = image.getHeight(null);
    var picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    picture.createGraphics().drawImage(image, 0, 0, java.awt.Color.WHITE, null);
    return picture;
  }

  /** Its bytes R, G, B as uint8 [1, H, W, 3]. */
  static OnnxTensor tensor(OrtEnvironment env, BufferedImage picture) throws OrtException {
    int width = picture.getWidth(), height = picture.getHeight();
    ByteBuffer bytes = ByteBuffer.allocateDirect(3 * width * height);
    for (int rgb : picture.getRGB(0, 0, width, height, null, 0, width))
      bytes.put((byte) (rgb >> 16)).put((byte) (rgb >> 8)).put((byte) rgb);
    long[] shape = {1, height, width, 3};
    return OnnxTensor.createTensor(env, bytes.rewind(), shape, OnnxJavaType.UINT8);
  }

  /** The strength as a number from 0 to 1. */
  static float strength(String text) {
    float number = text.matches("\\d+(\\.\\d*)?") ? Float.parseFloat(text) : -1;
    if (number >= 0 && number <= 1) return number;
    throw new IllegalArgumentException("ALPHA: found " + text + "; allowed: a number from 0 to 1");
  }

  /** The format that a file's name asks for; an error where it cannot be written. */
  static String format(String out) throws IOException {
    String suffix = out.substring(out.lastIndexOf('.') + 1);
    if (!ImageIO.getImageWritersByFormatName(suffix).hasNext())
      throw new IOException(out + ": no format that Java writes");
    if (new File(out).isDirectory()) throw new IOException(out + ": a folder");
    if (!new File(out).getAbsoluteFile().getParentFile().isDirectory())
      throw new IOException(out + ": its folder is not there");
    return suffix;
  }

  static void stylize(String model, String content, String style, String alpha, String out)
      throws IOException, OrtException {
    float[] strength = {strength(alpha)};
    String format = format(out);
    BufferedImage photo = read(content, Integer.MAX_VALUE), painting = read(style, STYLE_SIDE);
    OrtEnvironment env = OrtEnvironment.getEnvironment();
    env.setTelemetry(false);
    try (OrtSession session = env.createSession(model);
        OnnxTensor c = tensor(env, photo);
        OnnxTensor s = tensor(env, painting);
        OnnxTensor a = OnnxTensor.createTensor(env, strength);
        OrtSession.Result results = session.run(Map.of("content", c, "style", s, "alpha", a))) {
      ByteBuffer bytes = ((OnnxTensor) results.get(0)).getByteBuffer(); // as large as the photo
      int[] rgb = new int[bytes.remaining()];
      for (int k = 0; k < rgb.length; k++) rgb[k] = bytes.get(k) & 255;
      photo.getRaster().setPixels(0, 0, photo.getWidth(), photo.getHeight(), rgb);
    }
    if (!ImageIO.write(photo, format, new File(out)))
      throw new IOException(out + ": no format that Java writes");
  }

  public static void main(String[] names) {
    try {
      if (names.length != 5) throw new IOException("usage: MODEL CONTENT STYLE ALPHA OUT");
      stylize(names[0], names[1], names[2], names[3], names[4]);
    } catch (IOException | OrtException | IllegalArgumentException error) {
      System.err.println(error.getMessage());
      System.exit(1);
    }
  }
}
