import com.adobe.testing.s3mock.S3MockApplication;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.context.support.GenericApplicationContext;

/** S3Mock on the loopback address alone: its plain HTTP connector has no setting for that. */
public class LoopbackS3Mock {
  static class Loopback implements BeanPostProcessor {
    @Override
    public Object postProcessBeforeInitialization(Object bean, String name) {
      if (bean instanceof TomcatServletWebServerFactory factory) {
        factory
            .getAdditionalConnectors()
            .forEach(connector -> connector.setProperty("address", "127.0.0.1"));
      }
      return bean;
    }
  }

  public static void main(String[] args) {
    new SpringApplicationBuilder(S3MockApplication.class)
        .initializers(
            context ->
                ((GenericApplicationContext) context)
                    .registerBean(Loopback.class, Loopback::new))
        .run(args);
  }
}
