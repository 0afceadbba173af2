@Injectable({ providedIn: 'root' })
export class SseService {

  connectToJobProgress(jobId: string): Observable<JobProgress> {
    return new Observable(observer => {
      const eventSource = new EventSource(`/api/v1/ai/jobs/${jobId}/stream/`);

      eventSource.onmessage = (event) => {
        const data = JSON.parse(event.data);
        observer.next(data);

        if (data.status === 'completed' || data.status === 'failed') {
          eventSource.close();
          observer.complete();
        }
      };

      eventSource.onerror = (error) => {
        observer.error(error);
        eventSource.close();
      };

      return () => eventSource.close();
    });
  }

  connectToNotifications(): Observable<Notification> {
    return new Observable(observer => {
      const eventSource = new EventSource('/api/v1/notifications/stream/');

      eventSource.onmessage = (event) => {
        observer.next(JSON.parse(event.data));
      };

      // Auto-reconnect on error
      eventSource.onerror = () => {
        setTimeout(() => this.connectToNotifications(), 5000);
      };

      return () => eventSource.close();
    });
  }
}
