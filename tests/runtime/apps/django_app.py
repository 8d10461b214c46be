from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="test", DEBUG=False)


def hello(request: HttpRequest, name: str) -> JsonResponse:
    return JsonResponse(
        {
            "name": name,
            "script_name": request.META["SCRIPT_NAME"],
            "path_info": request.path_info,
            "url": reverse("hello", args=["x"]),
            "query": request.GET.get("q", ""),
        }
    )


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type=request.content_type)


urlpatterns = [path("hello/<str:name>", hello, name="hello"), path("echo", echo)]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
